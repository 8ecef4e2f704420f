import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

/// Encoders in ONNX files of several exporters, opsets, element types and optimizers
/// (Tools/reference/make_onnx.py), against ONNX Runtime.
@Suite struct ONNXTests {
  private let folder: TemporaryFolder
  private let golden: [String: Any]

  init() throws {
    folder = try TemporaryFolder()
    golden =
      try JSONSerialization.jsonObject(with: Fixtures.data("onnx/golden.json")) as! [String: Any]
  }

  private var texts: [String] { golden["texts"] as! [String] }

  private func model(_ name: String) -> [String: Any] {
    (golden["models"] as! [String: Any])[name] as! [String: Any]
  }

  /// The folder of a model.
  ///
  /// - Parameters:
  ///   - change: changes of `config.json`.
  ///   - place: the name of the ONNX file.
  private func checkpoint(
    _ name: String, _ change: [String: Any] = [:], place: String = "model.onnx"
  ) throws -> String {
    let path = folder.path(UUID().uuidString)
    let manager = FileManager.default
    try manager.createDirectory(atPath: "\(path)/onnx", withIntermediateDirectories: true)
    try manager.copyItem(
      atPath: Fixtures.path("onnx/tokenizer.json"), toPath: "\(path)/tokenizer.json")
    try manager.copyItem(atPath: Fixtures.path("onnx/\(name).onnx"), toPath: "\(path)/\(place)")
    let data = Fixtures.path("onnx/\(name).onnx_data")
    if manager.fileExists(atPath: data) {
      let own = (place as NSString).deletingLastPathComponent
      try manager.copyItem(
        atPath: data, toPath: "\(path)/\(own.isEmpty ? "" : "\(own)/")\(name).onnx_data")
    }
    let config = (model(name)["config"] as! [String: Any]).merging(change) { $1 }
    try JSONSerialization.data(withJSONObject: config).write(
      to: URL(fileURLWithPath: "\(path)/config.json"))
    return path
  }

  private func message(_ path: String) throws -> String? {
    let result = Result { () throws(VDSQError) in try Converter(folder: path, weights: .fp32) }
    if case .failure(let error) = result { return error.message }
    return nil
  }

  private func vectors(_ path: String, _ weights: Converter.Weights = .fp32) throws -> [[Float]] {
    let file = folder.path("\(UUID().uuidString).vdsq")
    _ = try Converter(folder: path, weights: weights).write(
      to: file, replace: true, progress: Progress(total: 1) { _ in })
    let encoder = try TextEncoder(path: file, options: TextEncoder.Options())
    return try texts.map { try encoder.vector(of: $0) }
  }

  private func expected(_ name: String) -> [[Float]] {
    (model(name)["vectors"] as! [[Double]]).map { $0.map(Float.init) }
  }

  @Test(arguments: [
    ("bert-11", Float(5e-4)), ("bert-14-sdpa", 5e-4), ("bert-17", 5e-4), ("bert-dynamo", 5e-4),
    ("bert-external", 5e-4), ("distilbert-14", 5e-4), ("distilbert-dynamo", 5e-4),
    ("roberta-17", 5e-4), ("xlm-roberta-dynamo", 5e-4), ("bert-f16", 5e-3), ("bert-int8", 1e-1),
    ("bert-int8-channels", 1e-1), ("bert-fused", 5e-4), ("bert-mean-normalized", 5e-4),
    ("bert-first", 5e-4), ("bert-relu-fixed", 5e-4),
  ])
  func vectorsAreThoseOfONNXRuntime(_ name: String, _ tolerance: Float) throws {
    let own = try vectors(try checkpoint(name)), reference = expected(name)
    for (own, reference) in zip(own, reference) {
      #expect(relativeError(own, reference) <= tolerance)
      // Activations that are quantized while ONNX Runtime runs are not.
      #expect(cosine(own, reference) >= (tolerance < 1e-2 ? 0.99999 : 0.99))
    }
  }

  @Test(arguments: ["bert-17", "bert-int8-channels"])
  func otherTypesOfWeights(_ name: String) throws {
    for weights in [Converter.Weights.int8, .fp16] {
      for (own, reference) in zip(try vectors(try checkpoint(name), weights), expected(name)) {
        #expect(cosine(own, reference) >= 0.98)
      }
    }
  }

  @Test func filesInAFolderOfTheirOwn() throws {
    let name = "bert-external"
    let inside = try checkpoint(name, place: "onnx/model.onnx")
    #expect(try vectors(inside) == vectors(try checkpoint(name)))
    #expect(try vectors("\(inside)/onnx/model.onnx") == vectors(inside))
    let other = try checkpoint(name, place: "onnx/model_quantized.onnx")
    #expect(try message(other)?.contains("onnx/model_quantized.onnx") == true)
    #expect(try message("\(other)/onnx/model_quantized.onnx") == nil)
    try FileManager.default.removeItem(atPath: "\(inside)/onnx/\(name).onnx_data")
    #expect(try message(inside)?.contains("onnx_data") == true)
  }

  @Test(arguments: [
    ("num_hidden_layers", 3 as any Sendable, "2 layers"), ("num_attention_heads", 4, "2 heads"),
    ("intermediate_size", 32, "[24, 16]"), ("max_position_embeddings", 48, "[24, 16]"),
    ("model_type", "gpt2", "gpt2"),
  ])
  func configurationsOfOtherModels(_ key: String, _ value: any Sendable, _ part: String) throws {
    let told = try #require(try message(try checkpoint("bert-17", [key: value])))
    #expect(told.contains(part), "\(told)")
  }

  @Test func paddingIsThatOfTheGraph() throws {
    let told = try #require(try message(try checkpoint("roberta-17", ["pad_token_id": 2])))
    #expect(told.contains("positions"), "\(told)")
  }

  @Test func theGraphIsFollowedWhereItSaysMore() throws {
    let path = try checkpoint(
      "bert-relu-fixed", ["hidden_act": "gelu", "layer_norm_eps": 0.001])
    let converter = try Converter(folder: path, weights: .fp32)
    #expect(converter.warnings.contains { $0.contains("relu") && $0.contains("gelu") })
    #expect(converter.warnings.contains { $0.contains("epsilon") })
    #expect(try vectors(path) == vectors(try checkpoint("bert-relu-fixed")))
  }

  @Test func poolingIsThatOfTheFolder() throws {
    let path = try checkpoint("bert-first")
    let modules = [("", "Transformer"), ("1_Pooling", "Pooling")].map {
      ["path": $0.0, "type": "sentence_transformers.models.\($0.1)"]
    }
    try JSONSerialization.data(withJSONObject: modules).write(
      to: URL(fileURLWithPath: "\(path)/modules.json"))
    try FileManager.default.createDirectory(
      atPath: "\(path)/1_Pooling", withIntermediateDirectories: true)
    let pooling = URL(fileURLWithPath: "\(path)/1_Pooling/config.json")
    try Data(#"{"pooling_mode_mean_tokens": true}"#.utf8).write(to: pooling)
    let told = try #require(try message(path))
    #expect(told.contains("cls") && told.contains("mean"), "\(told)")
    try Data(#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#.utf8).write(
      to: pooling)
    #expect(try message(path) == nil)
  }

  /// Tables and gains of integers, which ONNX Runtime makes of fused operations.
  @Test func quantizedEmbeddingsAreRefused() throws {
    let told = try #require(try message(try checkpoint("bert-fused-int8")))
    #expect(told.contains("com.microsoft.QEmbedLayerNormalization"), "\(told)")
  }

  @Test func outputsOfOtherTasksAreRefused() throws {
    let told = try #require(try message(try checkpoint("classifier")))
    #expect(told.contains("logits"), "\(told)")
  }

  /// The first operation that no encoder has is named, and constants of other values are found.
  @Test(arguments: [
    ("bert-17", "Erf", "Cos", "Cos"), ("bert-17", "Softmax", "Hardmax", "Hardmax"),
    ("bert-14-sdpa", "MatMul", "MatMuI", "MatMuI"),
    ("bert-14-sdpa", "ReduceMean", "ReduceProd", "ReduceProd"),
    ("bert-17", "LayerNormalization", "LayerNormalizatiom", "LayerNormalizatiom"),
    (
      "bert-fused", "SkipLayerNormalization", "SkipLayerNormalizatiom",
      "com.microsoft.SkipLayerNormalizatiom"
    ),
    ("bert-int8", "MatMulInteger", "MatMulIntegex", "MatMulIntegex"),
  ])
  func otherOperationsAreNamed(
    _ name: String, _ operation: String, _ other: String, _ named: String
  ) throws {
    let path = try checkpoint(name)
    // The operation's name is a field of its own: number 4, its length, its text.
    func field(_ text: String) -> Data { Data([0x22, UInt8(text.utf8.count)] + text.utf8) }
    var data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/model.onnx"))
    let range = try #require(data.range(of: field(operation)))
    data.replaceSubrange(range, with: field(other))
    try data.write(to: URL(fileURLWithPath: "\(path)/model.onnx"))
    let told = try #require(try message(path))
    #expect(told.contains("operation \(named)"), "\(told)")
  }

  /// Graphs that no exporter writes are refused before they take memory or time.
  @Test func hostileGraphs() throws {
    let path = try checkpoint("bert-17")
    typealias M = ONNXMessage
    let huge = 1 << 62, large = 1 << 40
    let zero = [UInt8](repeating: 0, count: 8)
    let words = M.node("Gather", ["table", "input_ids"], ["words"])
    let table = M.tensor("table", 1, [2, 1], zero)
    let graphs: [(String, Data)] = [
      // Each operation nearly doubles the number of axes.
      (
        "rank",
        M.model(
          (0..<40).map { M.node("Gather", ["x\($0)", "x\($0)"], ["x\($0 + 1)"]) },
          [M.tensor("x0", 7, [1, 1], zero)], output: "x40")
      ),
      (
        "axes",
        M.model(
          (0..<40).map { M.node("Unsqueeze", ["x\($0)", "axes"], ["x\($0 + 1)"]) },
          [M.tensor("x0", 7, [1], zero), M.tensor("axes", 7, [1], zero)], output: "x40")
      ),
      // An axis of no elements hides the product of the others.
      (
        "empty",
        M.model(
          [M.node("Transpose", ["x"], ["y"])], [M.tensor("x", 7, [0, large, large])], output: "y")
      ),
      (
        "size",
        M.model(
          [words, M.node("Size", ["words"], ["y"])], [M.tensor("table", 1, [0, huge])],
          output: "y")
      ),
      (
        "heads",
        M.model(
          [
            words,
            M.node(
              "Attention", ["words", "weight", "bias", "attention_mask"], ["y"],
              domain: "com.microsoft", ["num_heads": huge]),
          ], [table, M.tensor("weight", 1, [1, 2], zero), M.tensor("bias", 1, [2], zero)],
          output: "y")
      ),
      (
        "zero points",
        M.model(
          [
            words, M.node("DynamicQuantizeLinear", ["words"], ["q", "s", "z"]),
            M.node("MatMulInteger", ["q", "weight", "z", "none"], ["y"]),
          ], [table, M.tensor("weight", 3, [1, 8], zero), M.tensor("none", 3, [0])], output: "y")
      ),
    ]
    for (name, data) in graphs {
      try data.write(to: URL(fileURLWithPath: "\(path)/model.onnx"))
      let told = try #require(try message(path), "\(name)")
      #expect(told.contains("model.onnx"), "\(name): \(told)")
    }
  }

  /// Every prefix of a file, and files with a byte changed, are refused or read; none is a fault.
  @Test func damagedFiles() throws {
    let path = try checkpoint("bert-dynamo")
    let file = URL(fileURLWithPath: "\(path)/model.onnx")
    let data = try Data(contentsOf: file)
    for length in stride(from: 0, to: data.count, by: 997) {
      try data[..<length].write(to: file)
      #expect(try message(path) != nil)
    }
    for place in stride(from: 3, to: data.count, by: 499) {
      var changed = data
      changed[place] ^= 0x55
      try changed.write(to: file)
      _ = try message(path)
    }
  }
}
