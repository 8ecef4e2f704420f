import VDSQCheckpoints
import VDSQFormat

/// A BERT-family checkpoint's configuration, checked: what the container's metadata will say.
struct EncoderSource {
  let folder: Checkpoint
  let map: ArchitectureMap
  let hiddenSize: Int
  let embeddingSize: Int
  let layers: Int
  let heads: Int
  let intermediateSize: Int
  let vocabularySize: Int
  /// Rows of the checkpoint's table, and how many of them no token has.
  let positionRows: Int
  let positionOffset: Int
  let tokenTypes: Int
  let activation: ActivationFunction
  let layerNormEpsilon: Double
  let sentence: SentenceSettings
  /// Whether the model is asked what stands at a mask, rather than for a sentence's vector.
  let isMasked: Bool

  var positions: Int { positionRows - positionOffset }

  /// - Throws: `badInput` where the configuration is not one that the runtime has.
  init(_ folder: Checkpoint, _ map: ArchitectureMap) throws(VDSQError) {
    self.folder = folder
    self.map = map
    let config = ConfigReader(folder)
    let path = config.path
    hiddenSize = try config.size(map.keys.hiddenSize, 65536)
    embeddingSize =
      if let key = map.keys.embeddingSize {
        try config.size(key, 65536, default: hiddenSize)
      } else { hiddenSize }
    layers = try config.size(map.keys.layers, 1024)
    heads = try config.size(map.keys.heads, 4096)
    intermediateSize = try config.size(map.keys.intermediateSize, 1 << 20)
    vocabularySize = try config.size("vocab_size", 1 << 24)
    positionRows = try config.size("max_position_embeddings", 1 << 20)
    positionOffset = map.offsetsPositions ? (config["pad_token_id"]?.integer ?? 1) + 1 : 0
    guard positionOffset >= 0, positionRows - positionOffset >= 2 else {
      throw .badInput("\(path): max_position_embeddings leaves no position for a token")
    }
    tokenTypes = if let key = map.keys.tokenTypes { try config.size(key, 1024) } else { 1 }
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
    activation = try config.activation(map.keys.activation, default: .gelu)
    layerNormEpsilon =
      if let key = map.keys.layerNormEpsilon {
        try config.epsilon(key, default: 1e-12)
      } else { 1e-12 }
    sentence = try SentenceSettings(folder, positions: positionRows - positionOffset)
    let dense = map.head.transform[0].sources[0]
    isMasked = !sentence.isSentenceModel && folder.tensors[dense] != nil
  }

  private func size(of axis: Axis) -> Int {
    switch axis {
    case .hidden: hiddenSize
    case .embedding: embeddingSize
    case .intermediate: intermediateSize
    case .vocabulary: vocabularySize
    case .positions: positionRows
    case .tokenTypes: tokenTypes
    case .queries, .keyValues: hiddenSize
    case .head: hiddenSize / heads
    case .fused: 3 * hiddenSize
    }
  }

  func source() throws(VDSQError) -> ModelSource {
    let prefix = try TensorResolver.prefix(map.prefixes, of: map.embeddings[0], in: folder)
    let resolver = TensorResolver(folder: folder, prefix: prefix, heads: heads, size: size)
    var source = ModelSource(folder: folder, metadata: metadata, vocabularySize: vocabularySize)
    source.lowercases = sentence.lowercases
    for tensor in try resolver.tensors(map.embeddings) {
      source.embeddings.append(tensor.role == .positionTable ? withoutUnused(tensor) : tensor)
    }
    if map.keys.tokenTypes == nil {
      // DistilBERT has no token types; the runtime's sum has one, which adds nothing.
      source.constants.append(
        .init(
          name: "embeddings.token_type", shape: [1, embeddingSize],
          values: [Float](repeating: 0, count: embeddingSize)))
    }
    for layer in 0..<layers {
      source.layers.append(try resolver.tensors(map.layer, layer: layer))
    }
    if isMasked { try addHead(to: &source) }
    return source
  }

  /// Positions without the rows before the first token's.
  private func withoutUnused(_ tensor: ModelSource.Tensor) -> ModelSource.Tensor {
    let part = tensor.rows.parts[0]
    return ModelSource.Tensor(
      rows: RowSource(
        name: tensor.rows.name, columns: tensor.rows.columns,
        parts: [.init(tensor: part.tensor, rows: positionOffset..<positionRows)]),
      role: tensor.role, shape: [positions, embeddingSize])
  }

  private func addHead(to source: inout ModelSource) throws(VDSQError) {
    let resolver = TensorResolver(folder: folder, prefix: "", heads: heads, size: size)
    source.head = try resolver.tensors(map.head.transform)
    let isTied = ConfigReader(folder).flag("tie_word_embeddings", default: true)
    source.vocabulary = source.embeddings[0].rows
    if !isTied, folder.tensors[map.head.weight] != nil {
      let rule = TensorRule(
        "head.weight", [map.head.weight], .wordTable, [.vocabulary, .embedding])
      let tensor = try resolver.tensors([rule])[0]
      source.head.append(tensor)
      source.vocabulary = tensor.rows
    }
    if let bias = map.head.biases.first(where: { folder.tensors[$0] != nil }) {
      source.head += try resolver.tensors(
        [TensorRule("head.bias", [bias], .vector, [.vocabulary])])
    }
  }

  private var metadata: Metadata {
    var architecture = Architecture(
      encoder: hiddenSize, layers: layers, heads: heads, intermediateSize: intermediateSize,
      vocabularySize: vocabularySize, positions: positions, tokenTypes: tokenTypes,
      normEpsilon: layerNormEpsilon, activation: activation, embeddingSize: embeddingSize)
    architecture.maximumTokens = sentence.maximumTokens
    if isMasked {
      architecture.pooling = .mask
      architecture.headActivation = map.head.activation ?? activation
    } else {
      architecture.pooling = sentence.pooling
      architecture.normalize = sentence.normalize
    }
    return architecture.metadata(modelType: folder.config["model_type"]?.text ?? "")
  }
}
