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
  static let gemma3: CheckpointArchitecture = {
    var architecture = gemma3(gemma3GGUF)
    architecture.variants = [
      Variant(
        isOf: { $0.config["use_bidirectional_attention"]?.boolean ?? false },
        architecture: gemma3(embeddingGemmaGGUF))
    ]
    return architecture
  }()

  private static func gemma3(_ gguf: GGUFArchitecture) -> CheckpointArchitecture {
    CheckpointArchitecture(
      title: "Gemma 3, EmbeddingGemma", modelTypes: ["gemma3_text"],
      settings: CheckpointConfiguration.rotarySettings(gemma3Rotary, epsilon: "rms_norm_eps")
        + SettingKey.followed(
          "use_bidirectional_attention", "query_pre_attn_scalar", "sliding_window",
          "sliding_window_pattern", "_sliding_window_pattern", "hidden_activation",
          "attention_bias", "attn_logit_softcapping", "final_logit_softcapping", gemma3Local.base)
        + SettingKey.harmless("hidden_act", "is_causal"),
      tokenizerClasses: [:], tokenizersHaveTypes: false, configuration: gemma3Configuration,
      prefixes: ["model.", ""],
      embeddings: llamaEmbeddings, layer: gemmaAttention(hasHeadNorms: true) + gemmaFeedForward,
      final: TensorRule.norm("final_norm", "norm", hasBias: false, offset: 1),
      head: LanguageModelHead(weight: "lm_head.weight", isTiedByDefault: true),
      textHead: HeadNames(("score", .identity)), gguf: gguf)
  }

  private static let gemma3GGUF = gemmaGGUF(
    "gemma3", layers: 6, large: 62, window: nil, features: [.capped, .patterned, .local]
  ) { (m) throws(VDSQError) in
    guard try m.number("attn_logit_softcapping", default: 0) == 0 else {
      throw m.refused("attn_logit_softcapping", "llama.cpp does not cap the scores of this model")
    }
    let cap = try m.number("final_logit_softcapping", default: 0)
    return try gemma3Config(m) + (cap == 0 ? [] : [("final_logit_softcapping", .number(cap))])
  }

  private static let embeddingGemmaGGUF = gemmaGGUF(
    "gemma-embedding", layers: 6, large: nil, window: nil,
    features: [.patterned, .local, .dense], isCausal: false
  ) { (m) throws(VDSQError) in
    guard m.find("attention.sliding_window") != nil else {
      throw m.refused("attention.sliding_window", "it is missing")
    }
    return try gemma3Config(m) + [("use_bidirectional_attention", .bool(true))]
  }

  /// What a GGUF file says of positions, which local layers have of their own.
  private static func gemma3Config(
    _ m: GGUFMetadata
  ) throws(VDSQError) -> [(key: String, value: JSON)] {
    let full = try RotaryKeys.parameters(m, longest: try m.size("context_length"), share: 1)
    let local = try m.number("rope.freq_base_swa", default: 10_000)
    return [
      ("model_type", .string("gemma3_text")),
      (
        "rope_parameters",
        JSON(members: [
          ("full_attention", JSON(members: full)),
          ("sliding_attention", JSON(members: [("rope_theta", .number(local))])),
        ])
      ),
    ]
  }

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
      for key in ["attn_logit_softcapping", "final_logit_softcapping"] where config[key] != nil {
        throw .badInput("\(config.path): \(key) of an encoder is not supported")
      }
    } else {
      c.attentionCap = try config.cap("attn_logit_softcapping", default: nil)
      c.logitCap = try config.cap("final_logit_softcapping", default: nil)
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
