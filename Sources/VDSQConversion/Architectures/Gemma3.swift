import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let gemma3Rotary = RotaryKeys(
    defaultBase: 1_000_000, layerType: "full_attention", isPartial: false)
  private static let gemma3Local = RotaryKeys(
    base: "rope_local_base_freq", layerType: "sliding_attention", isScaled: false,
    isPartial: false)

  /// Gemma 3 (Gemma Team 2025): Gemma with norms before and behind attention and the feed-forward
  /// network, norms of each head, and local attention in five layers of six, whose positions have
  /// another base. With `use_bidirectional_attention` it is an encoder: EmbeddingGemma.
  static let gemma3 = CheckpointArchitecture(
    title: "Gemma 3, EmbeddingGemma", modelTypes: ["gemma3_text"],
    settings: CheckpointConfiguration.rotarySettings(gemma3Rotary, epsilon: "rms_norm_eps")
      + SettingKey.followed(
        "use_bidirectional_attention", "query_pre_attn_scalar", "sliding_window",
        "sliding_window_pattern", "_sliding_window_pattern", "hidden_activation",
        "attention_bias", gemma3Local.base)
      + SettingKey.harmless("hidden_act", "is_causal"),
    tokenizerClasses: [:], tokenizersHaveTypes: false, configuration: gemma3Configuration,
    prefixes: ["model.", ""],
    embeddings: gemmaEmbeddings, layer: gemmaAttention(hasHeadNorms: true) + gemmaFeedForward,
    final: TensorRule.norm("final_norm", "norm", hasBias: false, offset: 1),
    head: LanguageModelHead(weight: "lm_head.weight", isTiedByDefault: true),
    textHead: HeadNames(("score", .identity)))

  static let gemmaEmbeddings = [
    TensorRule("embeddings.word", ["embed_tokens.weight"], .wordTable, [.vocabulary, .hidden])
  ]

  /// Attention of Gemma 2 and 3.
  ///
  /// - Parameter hasHeadNorms: whether queries and keys of each head are normalized.
  static func gemmaAttention(hasHeadNorms: Bool) -> [TensorRule] {
    gemmaNorm("attention.norm", "input_layernorm")
      + TensorRule.linear(
        "layer.#.attention.qkv", ["q", "k", "v"].map { "layers.#.self_attn.\($0)_proj" },
        rows: [.queries, .keyValues, .keyValues], .hidden,
        bias: .declared("attention_bias", default: false))
      + (hasHeadNorms ? gemmaHeadNorm("query", "q") + gemmaHeadNorm("key", "k") : [])
      + TensorRule.linear(
        "layer.#.attention.output", ["layers.#.self_attn.o_proj"], rows: [.hidden], .queries,
        bias: .declared("attention_bias", default: false))
      + gemmaNorm("attention.output_norm", "post_attention_layernorm")
  }

  /// The feed-forward network of Gemma 2 and 3.
  static let gemmaFeedForward: [TensorRule] =
    gemmaNorm("feed_forward.norm", "pre_feedforward_layernorm")
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["layers.#.mlp.gate_proj", "layers.#.mlp.up_proj"],
        rows: [.intermediate, .intermediate], .hidden, bias: nil)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["layers.#.mlp.down_proj"], rows: [.hidden], .intermediate,
        bias: nil)
      + gemmaNorm("feed_forward.output_norm", "post_feedforward_layernorm")

  private static func gemmaHeadNorm(_ name: String, _ source: String) -> [TensorRule] {
    TensorRule.norm(
      "layer.#.attention.\(name)_norm", "layers.#.self_attn.\(source)_norm", .head,
      hasBias: false, offset: 1)
  }

  private static func gemmaNorm(_ name: String, _ source: String) -> [TensorRule] {
    TensorRule.norm("layer.#.\(name)", "layers.#.\(source)", hasBias: false, offset: 1)
  }

  private static func gemma3Configuration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    var configuration = try CheckpointConfiguration(
      gemma: config, rotary: gemma3Rotary, queryScalar: 256)
    var c = configuration.architecture
    let window = try config.size("sliding_window", 1 << 28, default: 4096)
    let every =
      try config.size(
        "sliding_window_pattern", 1024,
        default: try config.size("_sliding_window_pattern", 1024, default: 6))
    func isLocal(_ layer: Int) -> Bool { (layer + 1) % every != 0 }
    if try config.flag("use_bidirectional_attention", default: false) {
      c.family = .bidirectionalEncoder
      c.hasEmbeddingNorm = false
      c.pooling = .mean
      c.slidingWindow = try SlidingWindow(
        encoder: config, reach: window / 2, layers: c.layers, isLocal: isLocal)
    } else {
      c.slidingWindow = try SlidingWindow(
        decoder: config, size: window, layers: c.layers, isLocal: isLocal)
    }
    if c.slidingWindow != nil {
      let local = try RotaryFrequencies(config, headSize: c.headSize, keys: gemma3Local)
      guard local.scale == 1 else {
        throw .badInput("\(config.path): rope_parameters: sliding_attention has a scale")
      }
      configuration.localRotaryFrequencies = local.frequencies
      c.hasLocalRotary = true
    }
    configuration.architecture = c
    return configuration
  }
}
