import VDSQCheckpoints
import VDSQFormat
import VDSQInference

/// A BERT-family checkpoint's configuration, checked: what the container's metadata will say.
struct EncoderSource {
  let folder: ModelFolder
  let map: ArchitectureMap
  let prefix: String
  let hiddenSize: Int
  let layers: Int
  let heads: Int
  let intermediateSize: Int
  let vocabularySize: Int
  let positions: Int
  let tokenTypes: Int
  let activation: String
  let layerNormEpsilon: Double
  let sentence: SentenceSettings

  /// - Throws: `badInput` where the configuration is not one that the runtime has.
  init(_ folder: ModelFolder) throws(VDSQError) {
    self.folder = folder
    let map = try ArchitectureMap.find(for: folder)
    self.map = map
    let config = folder.config
    let path = "\(folder.path)/config.json"
    func size(_ key: String, _ limit: Int) throws(VDSQError) -> Int {
      guard let value = config[key]?.integer, value >= 1, value <= limit else {
        throw .badInput("\(path): \(key) is missing or not in 1...\(limit)")
      }
      return value
    }
    hiddenSize = try size(map.keys.hiddenSize, 65536)
    layers = try size(map.keys.layers, 1024)
    heads = try size(map.keys.heads, 4096)
    intermediateSize = try size(map.keys.intermediateSize, 1 << 20)
    vocabularySize = try size("vocab_size", 1 << 24)
    positions = try size("max_position_embeddings", 1 << 20)
    tokenTypes = if let key = map.keys.tokenTypes { try size(key, 1024) } else { 1 }
    guard hiddenSize % heads == 0 else {
      throw .badInput("\(path): \(map.keys.hiddenSize) is not a multiple of \(map.keys.heads)")
    }
    let positionType = config["position_embedding_type"]?.text ?? "absolute"
    guard positionType == "absolute" else {
      throw .badInput("\(path): position_embedding_type \(positionType); supported: absolute")
    }
    if config["is_decoder"]?.boolean == true {
      throw .badInput("\(path): is_decoder is true; supported: encoders")
    }
    let activation = config[map.keys.activation]?.text ?? "gelu"
    guard EncoderConfiguration.activation(named: activation) != nil else {
      throw .badInput(
        "\(path): activation \(activation); supported: gelu, gelu_new, gelu_pytorch_tanh, relu")
    }
    self.activation = activation
    layerNormEpsilon = map.keys.layerNormEpsilon.flatMap { config[$0]?.double } ?? 1e-12
    guard layerNormEpsilon > 0, layerNormEpsilon < 1 else {
      throw .badInput("\(path): layer_norm_eps is not between 0 and 1")
    }
    let probe = map.embeddings[0].sources[0]
    guard let prefix = map.prefixes.first(where: { folder.tensors[$0 + probe] != nil }) else {
      throw .badInput("\(folder.path): tensor \(probe) is missing")
    }
    self.prefix = prefix
    sentence = try SentenceSettings(folder, positions: positions)
  }

  func size(of axis: Axis) -> Int {
    switch axis {
    case .hidden: hiddenSize
    case .intermediate: intermediateSize
    case .vocabulary: vocabularySize
    case .positions: positions
    case .tokenTypes: tokenTypes
    }
  }

  /// A rule's tensors, their shapes checked.
  ///
  /// - Throws: `badInput` where one is missing, of another shape, or of a type that holds no weights.
  func rows(_ rule: TensorRule, layer: Int? = nil) throws(VDSQError) -> RowSource {
    func named(_ template: String) -> String {
      layer.map {
        template.split(separator: "#", omittingEmptySubsequences: false)
          .joined(separator: "\($0)")
      } ?? template
    }
    let shape = rule.shape.map(size)
    var parts: [SourceTensor] = []
    for source in rule.sources {
      let name = prefix + named(source)
      guard let tensor = folder.tensors[name] else {
        throw .badInput(
          "\(folder.path): tensor \(name) is missing, or no f64, f32, f16 or bf16 tensor")
      }
      guard tensor.shape == shape else {
        throw .badInput(
          "\(tensor.file.path): tensor \(name) has shape \(tensor.shape); config.json says \(shape)"
        )
      }
      parts.append(tensor)
    }
    return RowSource(name: named(rule.name), columns: shape.last!, parts: parts)
  }

  var metadata: Metadata {
    var metadata = Metadata()
    metadata.set("architecture", .text("bert"))
    metadata.set("model_type", .text(map.modelType))
    metadata.set("hidden_size", .integer(hiddenSize))
    metadata.set("layers", .integer(layers))
    metadata.set("heads", .integer(heads))
    metadata.set("intermediate_size", .integer(intermediateSize))
    metadata.set("vocabulary_size", .integer(vocabularySize))
    metadata.set("positions", .integer(positions))
    metadata.set("token_types", .integer(tokenTypes))
    metadata.set("layer_norm_epsilon", .number(layerNormEpsilon))
    metadata.set("activation", .text(activation))
    metadata.set("pooling", .text(sentence.pooling))
    metadata.set("normalize", .integer(sentence.normalize ? 1 : 0))
    metadata.set("maximum_tokens", .integer(sentence.maximumTokens))
    return metadata
  }
}
