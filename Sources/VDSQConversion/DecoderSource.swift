import VDSQCheckpoints
import VDSQFormat

/// A causal language model's configuration, checked: what the container's metadata will say.
struct DecoderSource {
  let folder: Checkpoint
  let map: DecoderMap
  private let config: ConfigReader
  private let hiddenSize: Int
  private let layers: Int
  private let heads: Int
  private let keyValueHeads: Int
  private let headSize: Int
  private let intermediateSize: Int
  private let vocabularySize: Int
  /// Rows of the position table; 0 where positions are rotary.
  private let positions: Int
  private let rotary: RotaryFrequencies?
  private let maximumTokens: Int
  private let rootMeanSquareNorm: Bool
  private let epsilon: Double
  private let activation: ActivationFunction
  private let gated: Bool
  private let parallelResidual: Bool

  /// - Throws: `badInput` where the configuration is not one that the runtime has.
  init(_ folder: Checkpoint, _ map: DecoderMap) throws(VDSQError) {
    self.folder = folder
    self.map = map
    config = ConfigReader(folder)
    vocabularySize = try config.size("vocab_size", 1 << 24)
    if map.modelTypes == ["gpt2"] {
      hiddenSize = try config.size("n_embd", 65536)
      layers = try config.size("n_layer", 1024)
      heads = try config.size("n_head", 4096)
      keyValueHeads = heads
      guard hiddenSize % heads == 0 else {
        throw .badInput("\(config.path): n_embd is not a multiple of n_head")
      }
      headSize = hiddenSize / heads
      intermediateSize = try config.size("n_inner", 1 << 20, default: 4 * hiddenSize)
      positions = try config.size("n_positions", 1 << 24)
      maximumTokens = positions
      rotary = nil
      epsilon = try config.epsilon("layer_norm_epsilon", default: 1e-5)
      activation = try config.activation("activation_function", default: .geluNew)
      (rootMeanSquareNorm, gated, parallelResidual) = (false, false, false)
      guard config.flag("scale_attn_weights", default: true),
        !config.flag("scale_attn_by_inverse_layer_idx", default: false)
      else { throw .badInput("\(config.path): attention scaled by layer is not supported") }
    } else {
      let isNeoX = map.modelTypes == ["gpt_neox"]
      hiddenSize = try config.size("hidden_size", 65536)
      layers = try config.size("num_hidden_layers", 1024)
      heads = try config.size("num_attention_heads", 4096)
      keyValueHeads = try config.size("num_key_value_heads", heads, default: heads)
      guard config["head_dim"] != nil || hiddenSize % heads == 0, heads % keyValueHeads == 0 else {
        throw .badInput("\(config.path): sizes are not multiples of the numbers of heads")
      }
      headSize = try config.size("head_dim", 65536, default: hiddenSize / heads)
      intermediateSize = try config.size("intermediate_size", 1 << 20)
      positions = 0
      let rotary = try RotaryFrequencies(config, headSize: headSize, isNeoX: isNeoX)
      self.rotary = rotary
      maximumTokens = rotary.maximumTokens
      epsilon = try config.epsilon(isNeoX ? "layer_norm_eps" : "rms_norm_eps", default: 1e-5)
      activation = try config.activation("hidden_act", default: isNeoX ? .gelu : .silu)
      (rootMeanSquareNorm, gated) = (!isNeoX, !isNeoX)
      parallelResidual = isNeoX && config.flag("use_parallel_residual", default: true)
    }
  }

  private func size(of axis: Axis) -> Int {
    switch axis {
    case .hidden, .embedding: hiddenSize
    case .intermediate: intermediateSize
    case .vocabulary: vocabularySize
    case .positions: positions
    case .tokenTypes: 1
    case .queries: heads * headSize
    case .keyValues: keyValueHeads * headSize
    case .head: headSize
    case .fused: (heads + 2 * keyValueHeads) * headSize
    }
  }

  func source() throws(VDSQError) -> ModelSource {
    let prefix = try TensorResolver.prefix(map.prefixes, of: map.embeddings[0], in: folder)
    let resolver = TensorResolver(folder: folder, prefix: prefix, heads: heads, size: size)
    var source = ModelSource(
      folder: folder, metadata: try metadata(), vocabularySize: vocabularySize)
    source.embeddings = try resolver.tensors(map.embeddings)
    if let rotary {
      source.constants.append(
        .init(
          name: "rotary.frequencies", shape: [rotary.frequencies.count],
          values: rotary.frequencies))
    }
    for layer in 0..<layers {
      source.layers.append(try resolver.tensors(map.layer, layer: layer))
    }
    source.head = try resolver.tensors(map.final)
    source.vocabulary = source.embeddings[0].rows
    // A checkpoint that stores the head beside the embeddings it is tied to says so in its settings.
    let isTied = config.flag("tie_word_embeddings", default: map.modelTypes == ["gpt2"])
    if !isTied {
      let head = TensorResolver(folder: folder, prefix: "", heads: heads, size: size)
      let tensor = try head.tensors(
        [TensorRule("head.weight", [map.head], .wordTable, [.vocabulary, .hidden])])[0]
      source.head.append(tensor)
      source.vocabulary = tensor.rows
    }
    return source
  }

  private func metadata() throws(VDSQError) -> Metadata {
    let positionEncoding =
      if let rotary {
        PositionEncoding.rotary(dimensions: 2 * rotary.frequencies.count, scale: rotary.scale)
      } else { PositionEncoding.learned(rows: positions) }
    var architecture = Architecture(
      decoder: hiddenSize, layers: layers, heads: heads, headSize: headSize,
      intermediateSize: intermediateSize, vocabularySize: vocabularySize,
      maximumTokens: maximumTokens, positions: positionEncoding, normEpsilon: epsilon,
      activation: activation)
    architecture.keyValueHeads = keyValueHeads
    architecture.norm = rootMeanSquareNorm ? .rmsNorm : .layerNorm
    architecture.isGated = gated
    architecture.hasParallelResidual = parallelResidual
    architecture.slidingWindow = try slidingWindow()
    return architecture.metadata(modelType: folder.config["model_type"]?.text ?? "")
  }

  /// How far layers see, and which of them do not see everything, a digit each.
  private func slidingWindow() throws(VDSQError) -> SlidingWindow? {
    let type = config["model_type"]?.text ?? ""
    // Qwen's configurations name a window that is not used unless they say so.
    guard config["sliding_window"] != nil,
      config.flag("use_sliding_window", default: type == "mistral")
    else { return nil }
    let size = try config.size("sliding_window", 1 << 30)
    if let types = config["layer_types"]?.elements {
      guard types.count == layers else {
        throw .badInput("\(config.path): layer_types are not one for each layer")
      }
      return SlidingWindow(
        size: size, slidingLayers: types.map { $0.text == "sliding_attention" })
    }
    guard type.hasPrefix("qwen") else { return SlidingWindow(size: size) }
    let first = config["max_window_layers"]?.integer ?? 28
    return SlidingWindow(size: size, slidingLayers: (0..<layers).map { $0 >= first })
  }
}
