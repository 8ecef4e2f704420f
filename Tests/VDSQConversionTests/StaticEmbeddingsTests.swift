import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

/// Static embeddings, against model2vec, sentence-transformers and WordLlama
/// (Tools/reference/make_static.py).
@Suite struct StaticEmbeddingsTests {
  private let folder: TemporaryFolder
  private let golden: [String: Any]

  init() throws {
    folder = try TemporaryFolder()
    golden =
      try JSONSerialization.jsonObject(with: Fixtures.data("static/golden.json")) as! [String: Any]
  }

  private static let wordLlama = "wordllama/weights/tiny_cat_32.safetensors"

  private func expected(_ name: String) -> [[Float]] {
    ((golden["vectors"] as! [String: Any])[name] as! [[Double]]).map { $0.map(Float.init) }
  }

  private func model(
    _ path: String, _ weights: Converter.Weights = .fp32
  ) throws -> (Converter, String) {
    let converter = try Converter(folder: path, weights: weights)
    let file = folder.path("\(UUID().uuidString).vdsq")
    _ = try converter.write(to: file, replace: true, progress: Progress(total: 1) { _ in })
    return (converter, file)
  }

  private func vectors(
    _ file: String, _ options: TextEncoder.Options = TextEncoder.Options()
  ) throws -> [[Float]] {
    let encoder = try TextEncoder(path: file, options: options)
    return try (golden["texts"] as! [String]).map { try encoder.vector(of: $0) }
  }

  private func message(_ path: String) throws -> String? {
    let result = Result { () throws(VDSQError) in try Converter(folder: path, weights: .fp32) }
    if case .failure(let error) = result { return error.message }
    return nil
  }

  /// References have five decimals. Half precision of model2vec is summed in half precision there.
  @Test(arguments: [
    ("plain", "static/plain", Float(2e-5)), ("short", "static/short", 2e-5),
    ("weighted", "static/weighted", 2e-5), ("half", "static/half", 2e-3),
    ("int8", "static/int8", 2e-5), ("sentences", "static/sentences", 2e-5),
    ("wordllama", "static/\(wordLlama)", 2e-5),
  ])
  func vectorsAreThoseOfTheLibraries(
    _ name: String, _ path: String, _ tolerance: Float
  ) throws {
    let (converter, file) = try model(Fixtures.path(path))
    #expect(converter.warnings.isEmpty)
    for (own, reference) in zip(try vectors(file), expected(name)) {
      let isZero = reference.allSatisfy { $0 == 0 }
      #expect(isZero ? own == reference : relativeError(own, reference) <= tolerance)
    }
    let (_, small) = try model(Fixtures.path(path), .int8)
    for (own, reference) in zip(try vectors(small), expected(name))
    where reference.contains(where: { $0 != 0 }) {
      #expect(cosine(own, reference) >= 0.999)
    }
  }

  @Test func promptsPrecedeTexts() throws {
    let (_, file) = try model(Fixtures.path("static/sentences"))
    var options = TextEncoder.Options()
    options.prompt = "query"
    for (own, reference) in zip(try vectors(file, options), expected("sentences-query")) {
      #expect(relativeError(own, reference) <= 2e-5)
    }
  }

  /// The vector of a text does not depend on its batch, nor on the number of threads.
  @Test func batchesAndThreads() throws {
    let (_, file) = try model(Fixtures.path("static/plain"))
    var options = TextEncoder.Options()
    options.threads = 3
    options.batch = 4
    let encoder = try TextEncoder(path: file, options: options)
    let texts = golden["texts"] as! [String]
    let alone = try vectors(file)
    for text in texts where encoder.hasRoom {
      var copy = text
      _ = copy.withUTF8 { encoder.add(UnsafeRawBufferPointer($0)) }
    }
    let count = encoder.count
    #expect(count >= 4)
    var together: [[Float]] = []
    try encoder.encode { _, vector in
      together.append(Array(UnsafeBufferPointer(start: vector, count: encoder.dimensions)))
    }
    #expect(together == Array(alone[..<count]))
  }

  /// Texts are cut behind characters, and told to be.
  @Test func longTexts() throws {
    let (_, file) = try model(Fixtures.path("static/short"))
    let encoder = try TextEncoder(path: file, options: TextEncoder.Options())
    #expect(encoder.maximumTokens == 6)
    var text = String(repeating: "q", count: 500)
    #expect(text.withUTF8 { !encoder.fits(UnsafeRawBufferPointer($0)) })
    text = "the fox"
    #expect(text.withUTF8 { encoder.fits(UnsafeRawBufferPointer($0)) })
  }

  /// States of layers: there is one, the rows of the table.
  @Test func statesAreRows() throws {
    let (_, file) = try model(Fixtures.path("static/plain"))
    let encoder = try TextEncoder(path: file, options: TextEncoder.Options())
    #expect(encoder.layers == 0)
    for sample in ["the fox", ""] {
      var text = sample
      let (ids, states) = try text.withUTF8 { text throws in
        try encoder.hiddenStates(of: UnsafeRawBufferPointer(text))
      }
      #expect(states.count == ids.count * encoder.hiddenSize)
      let pooled = try text.withUTF8 { text throws in
        try encoder.pooledStates(of: UnsafeRawBufferPointer(text))
      }
      #expect(pooled.count == encoder.hiddenSize)
      let scale = pooled.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let vector = try encoder.vector(of: text)
      #expect(zip(pooled, vector).allSatisfy { ($0 - $1 * scale).magnitude < 1e-5 })
    }
  }

  /// Nothing is planned for layers.
  @Test func theArenaIsSmall() throws {
    let (_, file) = try model(Fixtures.path("static/plain"))
    let encoder = try TextEncoder(path: file, options: TextEncoder.Options())
    #expect(encoder.arena.length < 1 << 20)
  }

  @Test(arguments: [
    ("config.json", #""model_type": "model2vec", "head_config": {"a": 1}"#, "head_config"),
    ("config.json", #""model_type": "model2vec", "max_length": "x""#, "max_length"),
    ("config.json", #""model_type": "model2vec", "max_length": 1"#, "max_length"),
    ("config.json", #""model_type": "model2vec", "normalize": 3"#, "normalize"),
    // `modules.json` normalizes.
    ("config.json", #""model_type": "model2vec", "normalize": false"#, "modules.json"),
  ])
  func otherSettingsAreRefused(_ name: String, _ members: String, _ part: String) throws {
    let path = try folder.copy(ofFixture: "static/plain", as: UUID().uuidString)
    try Data("{\(members)}".utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    let told = try #require(try message(path))
    #expect(told.contains(part), "\(told)")
  }

  @Test(arguments: [
    ("more", [3], "more"), ("mapping", [90], "mapping"), ("weights", [3], "weights"),
  ])
  func otherTensorsAreRefused(_ name: String, _ shape: [Int], _ part: String) throws {
    let path = try folder.copy(ofFixture: "static/plain", as: UUID().uuidString)
    var editor = try SafetensorsEditor("\(path)/model.safetensors")
    editor.add(name, shape)
    try editor.write()
    let told = try #require(try message(path))
    #expect(told.contains("tensor \(part)"), "\(told)")
  }

  @Test func otherModulesAreRefused() throws {
    let path = try folder.copy(ofFixture: "static/sentences", as: UUID().uuidString)
    let modules = ["StaticEmbedding", "LSTM"].map {
      ["path": "", "type": "sentence_transformers.models.\($0)"]
    }
    try JSONSerialization.data(withJSONObject: modules).write(
      to: URL(fileURLWithPath: "\(path)/modules.json"))
    let told = try #require(try message(path))
    #expect(told.contains("LSTM"), "\(told)")
  }
}
