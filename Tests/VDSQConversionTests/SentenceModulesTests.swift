import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

/// Modules behind pooling, prompts and shortened vectors: vectors are those of
/// sentence-transformers (Tools/reference/make_modules.py).
@Suite struct SentenceModulesTests {
  private static let file = SentenceModulesFile.shared
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func encoder(
    _ path: String, _ options: TextEncoder.Options = TextEncoder.Options(),
    weights: Converter.Weights = .fp32
  ) throws -> TextEncoder {
    _ = try Converter(folder: path, weights: weights).write(
      to: folder.path("m.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    return try TextEncoder(path: folder.path("m.vdsq"), options: options)
  }

  private func check(
    _ encoder: TextEncoder, _ expected: [[Float]], _ tolerance: Float
  ) throws {
    for (text, golden) in zip(Self.file.texts, expected) {
      #expect(relativeError(try encoder.vector(of: text), golden) < tolerance, "\(text)")
    }
  }

  @Test(arguments: file.models) func vectors(_ model: SentenceModulesFile.Model) throws {
    let path = try model.write(to: folder)
    try check(try encoder(path), model.vectors, 1e-3)
    try check(try encoder(path, weights: .fp16), model.vectors, 1e-2)
    let int8 = try encoder(path, weights: .int8)
    for (text, golden) in zip(Self.file.texts, model.vectors) {
      #expect(cosine(try int8.vector(of: text), golden) > 0.995, "\(text)")
    }
  }

  @Test(arguments: file.models) func batches(_ model: SentenceModulesFile.Model) throws {
    let path = try model.write(to: folder)
    var options = TextEncoder.Options()
    (options.batch, options.threads) = (8, 2)
    let encoder = try encoder(path, options)
    for text in Self.file.texts {
      Array(text.utf8).withUnsafeBytes { _ = encoder.add($0) }
    }
    try encoder.encode { (index, vector) throws(VDSQError) in
      let ours = Array(UnsafeBufferPointer(start: vector, count: encoder.dimensions))
      #expect(relativeError(ours, model.vectors[index]) < 1e-3)
    }
  }

  @Test(arguments: file.models) func prompts(_ model: SentenceModulesFile.Model) throws {
    let path = try model.write(to: folder)
    for (name, expected) in model.prompted {
      var options = TextEncoder.Options()
      options.prompt = name
      try check(try encoder(path, options), expected, 1e-3)
    }
    var options = TextEncoder.Options()
    options.prompt = "other"
    let error = try #require(
      #expect(throws: VDSQError.self) { _ = try encoder(path, options) })
    #expect(error.setting == .prompt && error.message.contains("passage"))
  }

  @Test(arguments: file.models) func shortened(_ model: SentenceModulesFile.Model) throws {
    let path = try model.write(to: folder)
    var options = TextEncoder.Options()
    options.dimensions = 12
    let short = try encoder(path, options)
    #expect(short.dimensions == 12)
    // Vectors that the model does not normalize are cut alone.
    try check(short, model.short ?? model.vectors.map { Array($0.prefix(12)) }, 1e-3)
    for wrong in [0, model.vectors[0].count + 1] {
      options.dimensions = wrong
      let error = try #require(
        #expect(throws: VDSQError.self) { _ = try encoder(path, options) })
      #expect(error.setting == .dimensions)
    }
  }

  /// What the modules' files can say that is not computed is refused by name.
  @Test(
    arguments: [
      ("dense", "2_Dense/config.json", "activation_function", "torch.nn.modules.activation.ELU"),
      ("dense", "2_Dense/config.json", "activation_function", "my.code.Tanh"),
      ("dense", "2_Dense/config.json", "use_residual", true),
      ("dense", "2_Dense/config.json", "bias", false),
      ("dense", "2_Dense/config.json", "in_features", 24),
      ("dense", "2_Dense/config.json", "module_input_name", "token_embeddings"),
      ("layer-norm", "2_LayerNorm/config.json", "dimension", 7),
      ("poolings", "1_Pooling/config.json", "pooling_mode", ["cls", "attention"]),
    ] as [(String, String, String, any Sendable)])
  func refused(
    _ name: String, _ file: String, _ key: String, _ value: any Sendable
  ) throws {
    let model = Self.file.models.first { $0.name == name }!
    let path = try model.write(to: folder)
    let url = URL(fileURLWithPath: "\(path)/\(file)")
    var json = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as! [String: Any]
    json[key] = value
    try JSONSerialization.data(withJSONObject: json).write(to: url)
    let error = try #require(#expect(throws: VDSQError.self) { _ = try encoder(path) })
    #expect(error.category == .badInput && error.message.contains(path), "\(error.message)")
  }

  /// Modules in another order than they can run in, and unknown ones.
  @Test(
    arguments: [
      (["Transformer", "Dense", "Pooling"], "Dense"),
      (["Transformer", "Pooling", "Transformer"], "Transformer"),
      (["Transformer", "Pooling", "CNN"], "CNN"),
      (["Transformer", "WeightedLayerPooling", "Pooling"], "WeightedLayerPooling"),
    ])
  func order(_ modules: [String], _ named: String) throws {
    let path = try Self.file.models.first { $0.name == "dense" }!.write(to: folder)
    let paths = ["Transformer": "", "Pooling": "1_Pooling", "Dense": "2_Dense"]
    let list = modules.enumerated().map {
      [
        "idx": $0, "name": "\($0)", "path": paths[$1] ?? "",
        "type": "sentence_transformers.models.\($1)",
      ] as [String: Any]
    }
    try JSONSerialization.data(withJSONObject: list)
      .write(to: URL(fileURLWithPath: "\(path)/modules.json"))
    let error = try #require(#expect(throws: VDSQError.self) { _ = try encoder(path) })
    #expect(error.message.contains(named), "\(error.message)")
  }
}
