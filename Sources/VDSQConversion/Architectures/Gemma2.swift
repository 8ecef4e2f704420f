import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let gemma2Rotary = RotaryKeys(isPartial: false)

  /// Gemma 2 (Gemma Team 2024): Gemma with norms before and behind attention and the feed-forward
  /// network, local attention in every other layer, and caps of attention scores and logits.
  static let gemma2 = CheckpointArchitecture(
    title: "Gemma 2", modelTypes: ["gemma2"],
    settings: CheckpointConfiguration.rotarySettings(gemma2Rotary, epsilon: "rms_norm_eps")
      + SettingKey.followed(
        "query_pre_attn_scalar", "sliding_window", "hidden_activation", "attention_bias",
        "attn_logit_softcapping", "final_logit_softcapping")
      // Caches of keys and values.
      + SettingKey.harmless("cache_implementation"),
    tokenizerClasses: [:], configuration: gemma2Configuration, prefixes: ["model.", ""],
    embeddings: gemmaEmbeddings, layer: gemmaAttention(hasHeadNorms: false) + gemmaFeedForward,
    final: TensorRule.norm("final_norm", "norm", hasBias: false, offset: 1),
    head: LanguageModelHead(weight: "lm_head.weight", isTiedByDefault: true),
    textHead: HeadNames(("score", .identity)), tokenHead: HeadNames(("score", .identity)),
    gguf: gemma2GGUF)

  private static func gemma2Configuration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    var configuration = try CheckpointConfiguration(
      gemma: config, rotary: gemma2Rotary, queryScalar: 256)
    func cap(_ key: String, default standard: Double) throws(VDSQError) -> Double? {
      // null is no cap; the default is that of an absent key.
      if config.json[key]?.isNull == true { return nil }
      let value = try config.number(key) ?? standard
      guard value >= 1e-3, value <= 1e6 else {
        throw .badInput("\(config.path): \(key) is not from 0.001 to 1e6")
      }
      return value
    }
    configuration.architecture.attentionCap = try cap("attn_logit_softcapping", default: 50)
    configuration.architecture.logitCap = try cap("final_logit_softcapping", default: 30)
    configuration.architecture.slidingWindow = try SlidingWindow(
      decoder: config, size: try config.size("sliding_window", 1 << 28, default: 4096),
      layers: configuration.architecture.layers, isLocal: { $0 % 2 == 0 })
    return configuration
  }

  private static let gemma2GGUF: GGUFArchitecture = {
    let llama = llamaLikeGGUF("gemma2", activation: .geluPyTorchTanh)
    return GGUFArchitecture(
      name: llama.name, tensors: llama.tensors,
      layerTensors: llama.layerTensors.merging([
        "post_attention_norm": "model.layers.#.post_attention_layernorm",
        "ffn_norm": "model.layers.#.pre_feedforward_layernorm",
        "post_ffw_norm": "model.layers.#.post_feedforward_layernorm",
      ]) { $1 },
      isRotary: true, capsScores: true,
      config: { (m) throws(VDSQError) in
        let hidden = try m.size("embedding_length"), heads = try m.size("attention.head_count")
        let head = try m.size("attention.key_length", default: hidden / max(heads, 1))
        // Gemma 2 27B, which llama.cpp tells from others by its layers.
        let isLarge = try m.size("block_count") == 46
        return try llamaLikeConfig(
          m, modelType: "gemma2", alternates: false, windows: .known, .geluPyTorchTanh) + [
            ("hidden_activation", .string(ActivationFunction.geluPyTorchTanh.name)),
            ("query_pre_attn_scalar", .integer(isLarge ? hidden / max(heads, 1) : head)),
            (
              "attn_logit_softcapping",
              .number(try m.number("attn_logit_softcapping", default: 50))
            ),
            (
              "final_logit_softcapping",
              .number(try m.number("final_logit_softcapping", default: 30))
            ),
          ]
      })
  }()
}

extension CheckpointConfiguration {
  /// Reads what Gemma 2 and 3 have in common.
  ///
  /// - Parameter queryScalar: `query_pre_attn_scalar` if it is absent.
  init(
    gemma config: ConfigReader, rotary: RotaryKeys, queryScalar: Double
  ) throws(VDSQError) {
    try self.init(
      rotaryDecoder: config, rotary: rotary, epsilon: ("rms_norm_eps", 1e-6),
      activation: .geluPyTorchTanh, headSize: 256)
    architecture.activation = try config.activation(
      "hidden_activation", default: .geluPyTorchTanh)
    architecture.embeddingScale = Double(architecture.hiddenSize).squareRoot()
    architecture.norm = .rmsNorm
    architecture.isGated = true
    architecture.normPlacement = .around
    let scalar = try config.number("query_pre_attn_scalar") ?? queryScalar
    guard scalar > 0, scalar.isFinite else {
      throw .badInput("\(config.path): query_pre_attn_scalar is not positive")
    }
    if scalar != Double(architecture.headSize) {
      architecture.attentionDivisor = scalar.squareRoot()
    }
  }
}
