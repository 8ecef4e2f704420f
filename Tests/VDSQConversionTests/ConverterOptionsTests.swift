import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

/// The effects of the options of a conversion.
@Suite struct ConverterOptionsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func convert(
    _ source: String, _ options: Converter.Options, to name: String = "out.vdsq"
  ) throws -> Converter.Summary {
    let converter = try Converter(folder: source, options: options)
    return try converter.write(
      to: folder.path(name), replace: true,
      progress: Progress(total: converter.totalBytes) { _ in })
  }

  private func container(_ name: String = "out.vdsq") throws -> Container {
    let container = try Container(path: folder.path(name))
    try container.verify()
    return container
  }

  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: folder.url.appendingPathComponent(name))
  }

  private func states(_ name: String, _ precision: Precision = .integer) throws -> [[Float]] {
    var options = TextEncoder.Options()
    options.precision = precision
    let encoder = try TextEncoder(try container(name), options: options)
    return try ["hello world", "café 12!", ""].map { try encoder.vector(of: $0) }
  }

  /// A copy of a fixture whose matrices have three large columns, so that groups of columns are
  /// worthwhile.
  private func outliers() throws -> String {
    let copy = try folder.copy(ofFixture: "bert-mean", as: "outliers")
    let file = URL(fileURLWithPath: copy).appendingPathComponent("model.safetensors")
    var data = try Data(contentsOf: file)
    let length = (0..<8).reduce(0) { $0 | Int(data[$1]) << (8 * $1) }
    let header = try #require(
      try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any])
    for case (let name, let tensor as [String: Any]) in header where name.contains("layer.") {
      let shape = try #require(tensor["shape"] as? [Int])
      let start = try #require(tensor["data_offsets"] as? [Int])[0] + 8 + length
      guard shape.count == 2 else { continue }
      for row in 0..<shape[0] {
        for column in 0..<3 {
          let at = start + (row * shape[1] + column) * 4
          let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[at + $1]) << UInt32(8 * $1) }
          withUnsafeBytes(of: (Float(bitPattern: bits) * 32).bitPattern) {
            data.replaceSubrange(at..<at + 4, with: $0)
          }
        }
      }
    }
    try data.write(to: file)
    return copy
  }

  @Test func groupsTakeErrorAway() throws {
    let length = 32
    let source = try outliers()
    let plain = try convert(source, Converter.Options(), to: "plain")
    var options = Converter.Options()
    options.groups = length
    let grouped = try convert(source, options, to: "grouped")
    try convert(source, Converter.Options(weights: .fp32), to: "exact")
    let down = "layer.0.feed_forward.down.weight"
    let before = try #require(plain.tensors.first { $0.name == down })
    let after = try #require(grouped.tensors.first { $0.name == down })
    #expect(after.order == .groups16 && after.groups?.length == length)
    #expect(after.error.rms < 0.8 * before.error.rms)
    // The recorded error matches the values.
    let a = try StoredRows(try container("grouped"), down),
      b = try StoredRows(try container("exact"), down)
    var left: [Float] = [], right: [Float] = [], worst: Float = 0
    for row in 0..<after.rows {
      a.row(row, into: &left)
      b.row(row, into: &right)
      for (x, y) in zip(left, right) { worst = max(worst, (x - y).magnitude) }
    }
    #expect((worst - after.error.maxAbs).magnitude <= 1e-6)
    let exact = try states("exact", .high)
    for precision in [Precision.integer, .high] {
      for (ours, reference) in zip(try states("grouped", precision), exact) {
        #expect(cosine(ours, reference) > 0.99)
      }
    }
  }

  @Test(arguments: [32, 64])
  func fourBitsAreStoredInGroups(_ length: Int) throws {
    var options = Converter.Options(weights: .int4)
    if length != 32 { options.groups = length }
    options.keep = [try WeightRule("layer.1=int8")]
    let source = Fixtures.path("language-models/llama")
    let summary = try convert(source, options, to: "four")
    try convert(source, Converter.Options(weights: .fp32), to: "exact")
    func tensor(_ name: String) throws -> TensorRecord {
      try #require(summary.tensors.first { $0.name == "layer.0.feed_forward.\(name).weight" })
    }
    let up = try tensor("up")
    #expect(up.element == .int4 && up.groups?.length == length)
    #expect(up.dataLength == up.storedRows * up.columns / 2)
    // 52 columns are no multiple of eight.
    #expect(try tensor("down").element == .int8)
    let others = summary.tensors.filter { !$0.name.hasPrefix("layer.0.") }
    #expect(others.allSatisfy { $0.element != .int4 })
    // Whatever smoothing did, products of both files must be close.
    let exact = try states("exact", .high)
    for precision in [Precision.integer, .high] {
      for (ours, reference) in zip(try states("four", precision), exact) {
        #expect(cosine(ours, reference) > 0.95, "\(precision)")
      }
    }
  }

  @Test func recordedErrorsOfFourBitsAreThoseOfTheValues() throws {
    var options = Converter.Options(weights: .int4)
    options.smoothing = .none
    let source = Fixtures.path("language-models/llama")
    let summary = try convert(source, options, to: "four")
    try convert(source, Converter.Options(weights: .fp32), to: "exact")
    for record in summary.tensors where record.element == .int4 {
      let a = try StoredRows(try container("four"), record.name)
      let b = try StoredRows(try container("exact"), record.name)
      var left: [Float] = [], right: [Float] = [], worst: Float = 0
      for row in 0..<record.rows {
        a.row(row, into: &left)
        b.row(row, into: &right)
        for (x, y) in zip(left, right) { worst = max(worst, (x - y).magnitude) }
      }
      #expect((worst - record.error.maxAbs).magnitude <= 1e-6, "\(record.name)")
    }
  }

  /// GPTQ is the default, is recorded, and gives the same file on any number of threads. Layers
  /// that share weights are rounded to the nearest, and a warning says so.
  @Test func roundingIsRecordedAndRefusedByName() throws {
    var options = Converter.Options(weights: .int4)
    try convert(Fixtures.path("bert-mean"), options)
    #expect(try container().metadata.find("rounding_method") == "gptq")
    let corrected = try bytes("out.vdsq")
    options.threads = 1
    try convert(Fixtures.path("bert-mean"), options)
    #expect(try bytes("out.vdsq") == corrected)
    options.rounding = .nearest
    try convert(Fixtures.path("bert-mean"), options)
    #expect(try container().metadata.find("rounding_method") == nil)
    #expect(try bytes("out.vdsq") != corrected)
    options.rounding = .gptq
    let shared = try Converter(folder: Fixtures.path("encoders/albert"), options: options)
    #expect(shared.warnings.contains { $0.contains("rounded to the nearest: layers share them") })
  }

  /// The int8 of such weights would overflow.
  @Test func zeroPointsBeyondTheirRangeAreRefused() throws {
    try convert(Fixtures.path("bert-mean"), Converter.Options(weights: .int4))
    let record = try #require(try container().tensors.first { $0.order == .groups16 })
    let start = try container().sections[record.section].offset
    var forged = try bytes("out.vdsq")
    forged[start + (try #require(record.groups)).zeroPointsOffset] = 121
    let path = try folder.write(Array(forged), to: "forged.vdsq")
    #expect {
      try TextEncoder(path: path, options: TextEncoder.Options())
    } throws: {
      ($0 as? VDSQError)?.message.contains("zero point") == true
    }
  }

  /// A word is one piece of the file, with the groups of its row.
  @Test(arguments: [32, 64], ["bert-mean", "static/plain"])
  func wordsOfEncodersHaveFourBits(_ length: Int, _ model: String) throws {
    var options = Converter.Options(weights: .int4)
    options.groups = length
    let summary = try convert(Fixtures.path(model), options)
    let words = try #require(summary.tensors.first { $0.name == "embeddings.word" })
    #expect(words.element == .int4 && words.order == .rowGroups && words.groups?.length == length)
    let groups = (words.columns + length - 1) / length
    #expect(words.rowBytes == words.columns / 2 + 3 * groups)
    #expect(words.storedBytes == words.rows * (words.rowBytes + 4))
    // Integers that are compared with states have eight bits.
    #expect(try container().find("vocabulary.reciprocal_norms") == nil)
    #expect {
      try VocabularyRows(bases: try container())
    } throws: {
      ($0 as? VDSQError)?.message.contains("--keep embeddings.word=int8") == true
    }
    #expect(try HeadMatrix(model: try container(), embedding: true).rows == words.rows)
    try convert(Fixtures.path(model), Converter.Options(weights: .fp32), to: "exact")
    // A static model has no vector of a text without known words.
    for (ours, exact) in zip(try states("out.vdsq"), try states("exact")) where ours != exact {
      #expect(cosine(ours, exact) > 0.97)
    }
  }

  /// What a pass reads of a row are the values that docs/format.md says.
  @Test(arguments: [32, 64])
  func rowsWithGroupsAreReadAsStored(_ length: Int) throws {
    var options = Converter.Options(weights: .int4)
    options.groups = length
    try convert(Fixtures.path("bert-mean"), options)
    let file = try container()
    let stored = try StoredRows(file, "embeddings.word")
    var row = [Float](repeating: 0, count: stored.view.record.columns), expected: [Float] = []
    for id in [0, 1, stored.view.record.rows - 1] {
      stored.row(id, into: &expected)
      stored.view.load(
        stored.view.data + id * stored.view.record.rowBytes, row: id, KernelTable.available()[0],
        into: &row)
      #expect(row == expected)
    }
  }

  @Test func tablesOfComparedRowsHaveEightBits() throws {
    var options = Converter.Options()
    for rule in ["embeddings=int4", "embeddings.position=int4"] {
      options.keep = [try WeightRule(rule)]
      #expect(throws: VDSQError.self) { try convert(Fixtures.path("bert-mean"), options) }
    }
    options.keep = [try WeightRule("embeddings.word=int4")]
    try convert(Fixtures.path("bert-mean"), options)
    #expect(throws: VDSQError.self) { try convert(Fixtures.path("language-models/llama"), options) }
    options.coarse = true
    #expect(throws: VDSQError.self) { try convert(Fixtures.path("bert-mean"), options) }
    options = Converter.Options(weights: .int4, coarse: true)
    try convert(Fixtures.path("bert-mean"), options)
    #expect(try container().find("embeddings.word")?.record.element == .int8)
  }

  /// Without outliers groups would only take space.
  @Test func groupsAreLeftOutWhereTheyDoNotPay() throws {
    var options = Converter.Options()
    options.groups = 64
    let summary = try convert(Fixtures.path("language-models/gpt2"), options)
    #expect(summary.tensors.allSatisfy { $0.groups == nil })
  }

  @Test func rulesDecideByName() throws {
    var options = Converter.Options()
    options.keep = try [
      WeightRule("embeddings=fp32"), WeightRule("layer.*.feed_forward.down=fp16"),
      WeightRule("layer.1=fp32"),
    ]
    try convert(Fixtures.path("bert-mean"), options)
    let file = try container()
    func element(_ name: String) throws -> ElementType {
      try #require(file.find(name)).record.element
    }
    #expect(try element("embeddings.word") == .float32)
    #expect(try element("layer.0.feed_forward.down.weight") == .float16)
    #expect(try element("layer.0.feed_forward.up.weight") == .int8)
    // The last rule that matches holds.
    #expect(try element("layer.1.feed_forward.down.weight") == .float32)
    // Without int8 rows there are no integer cosines.
    #expect(file.find("vocabulary.reciprocal_norms") == nil)
    try convert(Fixtures.path("bert-mean"), Converter.Options(weights: .fp32), to: "exact")
    for (ours, exact) in zip(try states("out.vdsq"), try states("exact")) {
      #expect(cosine(ours, exact) > 0.999)
    }
  }

  @Test func rulesThatMeanNothing() throws {
    for text in ["", "x", "=fp16", "embeddings=", "embeddings=int3", "a=b=c"] {
      #expect { try WeightRule(text) } throws: { ($0 as? VDSQError)?.category == .usage }
    }
    for text in ["embed=fp16", "layer.9=fp16", "layer.0.attention.norm=fp16"] {
      var options = Converter.Options()
      options.keep = [try WeightRule(text)]
      #expect { try convert(Fixtures.path("bert-mean"), options) } throws: {
        guard let error = $0 as? VDSQError else { return false }
        return error.category == .usage && error.message.contains("embeddings")
      }
    }
    var options = Converter.Options(coarse: true)
    options.keep = [try WeightRule("embeddings=fp16")]
    #expect { try convert(Fixtures.path("bert-mean"), options) } throws: {
      ($0 as? VDSQError)?.category == .usage
    }
  }

  /// Compressed or not, the contents are the same and the answers are bit-identical.
  @Test(
    arguments: ["bert-mean", "language-models/llama", "language-models/qwen2"],
    Converter.Weights.allCases)
  func compressionChangesNothing(_ name: String, _ weights: Converter.Weights) throws {
    var options = Converter.Options(weights: weights)
    try convert(Fixtures.path(name), options, to: "plain")
    options.compress = true
    let summary = try convert(Fixtures.path(name), options, to: "packed")
    let plain = try container("plain"), packed = try container("packed")
    let compressed = packed.sections.filter { $0.encoding == .lz4 }
    #expect(!compressed.isEmpty)
    #expect(summary.sections.count == plain.sections.count)
    for section in compressed {
      #expect(
        Double(section.length) < 0.96 * Double(section.rawLength), "\(section.name) does not pay")
    }
    for (index, section) in plain.sections.enumerated() where section.kind != .provenance {
      #expect(
        plain.bytes(ofSection: index).elementsEqual(packed.bytes(ofSection: index)),
        "section \(section.name)")
    }
    #expect(try ContainerDifference(plain, packed).isEmpty)
    #expect(try states("plain") == states("packed"))
  }

  @Test(arguments: ["bert-mean", "language-models/gpt2"])
  func theNumberOfThreadsChangesNothing(_ name: String) throws {
    for weights in Converter.Weights.allCases {
      var options = Converter.Options(weights: weights)
      options.compress = weights == .fp32
      for threads in [1, 2, 5] {
        options.threads = threads
        try convert(Fixtures.path(name), options, to: "\(threads)")
      }
      #expect(try bytes("1") == bytes("2") && bytes("1") == bytes("5"))
    }
  }

  @Test func budgetsThatCannotBeMet() throws {
    for budget in [1, 1 << 20, 20 << 20] {
      var options = Converter.Options()
      options.budget = budget
      #expect { try convert(Fixtures.path("bert-mean"), options) } throws: {
        guard let error = $0 as? VDSQError else { return false }
        return error.category == .budgetTooSmall && error.message.contains("at least")
      }
    }
    #expect(folder.contents.isEmpty)
  }

  @Test func differencesAreTold() throws {
    try convert(Fixtures.path("bert-mean"), Converter.Options(), to: "a")
    try convert(Fixtures.path("bert-mean"), Converter.Options(weights: .fp32), to: "b")
    try convert(Fixtures.path("language-models/gpt2"), Converter.Options(), to: "c")
    let same = try ContainerDifference(try container("a"), try container("a"))
    #expect(same.isEmpty && same.tensors.allSatisfy(\.isSame))
    let other = try ContainerDifference(try container("a"), try container("b"))
    #expect(!other.isEmpty && other.sameTokenizer && other.metadata.isEmpty)
    #expect(other.onlyFirst == ["vocabulary.reciprocal_norms"] && other.onlySecond.isEmpty)
    // The measured figures differ.
    for tensor in other.tensors where !tensor.isSame {
      let record = try #require(try container("a").find(tensor.name)).record
      #expect((try #require(tensor.error).maxAbs - record.error.maxAbs).magnitude < 1e-6)
    }
    #expect(
      zip(other.tensors, other.tensors.dropFirst()).allSatisfy {
        $0.error!.cosine <= $1.error!.cosine
      })
    let strange = try ContainerDifference(try container("a"), try container("c"))
    #expect(!strange.sameTokenizer && !strange.onlySecond.isEmpty && !strange.metadata.isEmpty)
  }
}
