import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat

@Suite struct ConverterTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func convert(
    _ source: String, _ weights: Converter.Weights = .int8, to name: String = "out.vdsq",
    replace: Bool = true
  ) throws -> Converter.Summary {
    let converter = try Converter(folder: source, weights: weights)
    return try converter.write(
      to: folder.path(name), replace: replace,
      progress: Progress(total: converter.totalBytes) { _ in })
  }

  /// A conversion of a damaged copy must fail as specified, and leave no file behind.
  private func expectRefused(
    _ category: VDSQError.Category = .badInput, mentioning word: String,
    sourceLocation: SourceLocation = #_sourceLocation, _ damage: (URL) throws -> Void
  ) throws {
    let copy = try folder.copy(ofFixture: "bert-mean")
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try damage(URL(fileURLWithPath: copy))
    #expect(sourceLocation: sourceLocation) { try convert(copy) } throws: {
      guard let error = $0 as? VDSQError else { return false }
      let told = error.category == category && error.message.contains(word)
      if !told { Issue.record("\(error)", sourceLocation: sourceLocation) }
      return told
    }
    #expect(folder.contents == ["bert-mean"], sourceLocation: sourceLocation)
  }

  private func edit(_ file: URL, _ old: String, _ new: String) throws {
    let text = try String(contentsOf: file, encoding: .utf8)
    try #require(text.contains(old))
    try text.replacingOccurrences(of: old, with: new).write(
      to: file, atomically: true, encoding: .utf8)
  }

  @Test(arguments: Fixtures.models)
  func theSameInputGivesTheSameBytes(_ name: String) throws {
    for weights in Converter.Weights.allCases {
      try convert(Fixtures.path(name), weights, to: "a")
      try convert(Fixtures.path(name) + "/", weights, to: "b")
      let url = folder.url
      #expect(
        try Data(contentsOf: url.appendingPathComponent("a"))
          == Data(contentsOf: url.appendingPathComponent("b")))
      #expect(folder.contents == ["a", "b"])
    }
  }

  @Test func quantizationErrorsAreMeasured() throws {
    let summary = try convert(Fixtures.path("bert-mean"))
    let linear = try #require(summary.tensors.first { $0.name == "layer.0.feed_forward.up.weight" })
    #expect(linear.element == .int8 && linear.order == .panels16 && linear.shape == [88, 48])
    #expect(linear.error.cosine > 0.9999 && linear.error.cosine < 1)
    #expect(linear.error.maxAbs > linear.error.rms && linear.error.rms > 0)
    #expect(summary.unused == ["pooler.dense.bias", "pooler.dense.weight"])
  }

  @Test func existingFilesAreKept() throws {
    _ = try folder.write(Data("precious".utf8), to: "out.vdsq")
    #expect { try convert(Fixtures.path("bert-mean"), replace: false) } throws: {
      ($0 as? VDSQError)?.category == .usage
    }
    #expect(try String(contentsOfFile: folder.path("out.vdsq"), encoding: .utf8) == "precious")
    try convert(Fixtures.path("bert-mean"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path("out.vdsq"))).count > 10_000)
    #expect(folder.contents == ["out.vdsq"])
  }

  @Test func theTargetOfASymbolicLinkIsReplaced() throws {
    let target = try folder.write(Data("old".utf8), to: "target")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("out.vdsq"), withDestinationPath: target)
    try convert(Fixtures.path("bert-mean"))
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder.path("out.vdsq")) == target)
    #expect(try Container(path: target, kind: .model).tensors.count > 0)
  }

  @Test func outputsThatCannotBeWritten() throws {
    for path in ["/proc/x.vdsq", folder.path("absent/x.vdsq"), folder.url.path, "/dev/null"] {
      #expect {
        let converter = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8)
        _ = try converter.write(to: path, replace: true, progress: Progress(total: 1) { _ in })
      } throws: { ($0 as? VDSQError)?.category == .usage }
    }
  }

  @Test func missingFiles() throws {
    #expect { try convert(folder.path("absent")) } throws: {
      ($0 as? VDSQError)?.category == .missingInput
    }
    for (file, word) in [
      ("config.json", "config.json"), ("model.safetensors", "no weights"),
      ("tokenizer.json", "tokenizer.json"), ("1_Pooling/config.json", "1_Pooling"),
    ] {
      try expectRefused(.missingInput, mentioning: word) {
        try FileManager.default.removeItem(at: $0.appendingPathComponent(file))
      }
    }
  }

  @Test func unsupportedArchitecturesAreNamed() throws {
    try expectRefused(mentioning: "architecture mamba is not supported; supported: bert") {
      try edit(
        $0.appendingPathComponent("config.json"), #""model_type": "bert""#,
        #""model_type": "mamba""#)
    }
    try expectRefused(mentioning: "activation mish") {
      try edit(
        $0.appendingPathComponent("config.json"), #""hidden_act": "gelu""#,
        #""hidden_act": "mish""#)
    }
    try expectRefused(mentioning: "LSTM") {
      try edit($0.appendingPathComponent("modules.json"), "models.Normalize", "models.LSTM")
    }
    try expectRefused(mentioning: "tokenizer model WordLevel") {
      try edit(
        $0.appendingPathComponent("tokenizer.json"), "\"type\": \"WordPiece\",\n    \"unk",
        "\"type\": \"WordLevel\",\n    \"unk")
    }
    try expectRefused(mentioning: "leaves the folder") {
      try edit($0.appendingPathComponent("modules.json"), #""1_Pooling""#, #""../../etc""#)
    }
  }

  /// Checkpoints converted from TensorFlow have other names for the same norms.
  @Test func olderNamesOfNormsAreKnown() throws {
    try convert(Fixtures.path("bert-mean"), to: "new")
    let copy = try folder.copy(ofFixture: "bert-mean")
    let file = URL(fileURLWithPath: copy).appendingPathComponent("model.safetensors")
    let data = try Data(contentsOf: file)
    let length = Int(data[0]) | Int(data[1]) << 8 | Int(data[2]) << 16
    var header = String(decoding: data[8..<8 + length], as: UTF8.self)
    for (new, old) in [
      ("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta"),
    ] {
      #expect(header.contains(new))
      header = header.replacingOccurrences(of: new, with: old)
    }
    let bytes = Array(header.utf8)
    var out = Data((0..<8).map { UInt8(bytes.count >> ($0 * 8) & 255) })
    out += bytes + data[(8 + length)...]
    try out.write(to: file)
    try convert(copy, to: "old")
    #expect(
      try Container(path: folder.path("new"), kind: .model).tensors.map(\.error.cosine)
        == Container(path: folder.path("old"), kind: .model).tensors.map(\.error.cosine))
  }

  @Test func rotarySettingsOutOfRangeAreRefused() throws {
    for (old, new) in [
      (#""partial_rotary_factor": 0.25"#, #""partial_rotary_factor": -1e308"#),
      (#""partial_rotary_factor": 0.25"#, #""partial_rotary_factor": 0.01"#),
      (#""rope_type": "default""#, #""rope_type": "spiral""#),
      (#""rope_theta": 10000"#, #""rope_theta": -1"#),
    ] {
      let copy = try folder.copy(ofFixture: "language-models/gpt-neox", as: "neox")
      defer { try? FileManager.default.removeItem(atPath: copy) }
      try edit(URL(fileURLWithPath: copy).appendingPathComponent("config.json"), old, new)
      #expect { try convert(copy) } throws: { ($0 as? VDSQError)?.category == .badInput }
    }
  }

  @Test func configurationsOutOfRange() throws {
    for (key, old, new) in [
      ("hidden_size", "48", "0"), ("hidden_size", "48", "-48"), ("hidden_size", "48", "1e300"),
      ("hidden_size", "48", "\"48\""), ("num_attention_heads", "4", "5"),
      ("vocab_size", "", "99999999999"),
    ] {
      try expectRefused(mentioning: old.isEmpty ? "vocab_size" : key) { url in
        let file = url.appendingPathComponent("config.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        let pattern = try Regex("\"\(key)\": [0-9]+")
        try text.replacing(pattern, with: "\"\(key)\": \(new)")
          .write(to: file, atomically: true, encoding: .utf8)
      }
    }
  }

  @Test func shapesThatTheConfigurationDoesNotHave() throws {
    try expectRefused(mentioning: "config.json says") {
      try edit(
        $0.appendingPathComponent("config.json"), #""intermediate_size": 88"#,
        #""intermediate_size": 96"#)
    }
    try expectRefused(mentioning: "layer.2") {
      try edit(
        $0.appendingPathComponent("config.json"), #""num_hidden_layers": 2"#,
        #""num_hidden_layers": 3"#)
    }
  }

  @Test func weightsCutShortOrNotANumber() throws {
    try expectRefused(mentioning: "model.safetensors") { url in
      let file = url.appendingPathComponent("model.safetensors")
      try Data(contentsOf: file).dropLast(5).write(to: file)
    }
    try expectRefused(mentioning: "must be finite") { url in
      let file = url.appendingPathComponent("model.safetensors")
      var bytes = try Data(contentsOf: file)
      bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
      // The last tensor of the file is the pooler's weight, which is left out; aim before it.
      bytes.replaceSubrange(
        bytes.count / 2 / 4 * 4..<bytes.count / 2 / 4 * 4 + 4, with: [0, 0, 0xC0, 0x7F])
      try bytes.write(to: file)
    }
  }

  /// An index may only name files of its own folder.
  @Test func shardsThatLeaveTheFolder() throws {
    try expectRefused(mentioning: "is in no safetensors file of this folder") { url in
      try FileManager.default.removeItem(at: url.appendingPathComponent("model.safetensors"))
      try #"{"weight_map": {"a": "../x.safetensors"}}"#.write(
        to: url.appendingPathComponent("model.safetensors.index.json"), atomically: true,
        encoding: .utf8)
    }
  }
}
