import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let modernBERTKeys = RotaryEncoderKeys(
    activation: "hidden_activation", epsilon: "norm_eps",
    rotary: RotaryKeys(
      base: "global_rope_theta", defaultBase: 160_000, layerType: "full_attention",
      isPartial: false))
  private static let modernBERTLocal = RotaryKeys(
    base: "local_rope_theta", layerType: "sliding_attention", isPartial: false)

  /// ModernBERT (Warner et al. 2024): pre-norm layers with rotary positions, a gate of GELU, no
  /// biases, and local attention in two layers of three, whose positions have another base.
  static let modernBERT = CheckpointArchitecture(
    title: "ModernBERT", modelTypes: ["modernbert"],
    settings: modernBERTKeys.settings
      + SettingKey.followed(
        "local_attention", "global_attn_every_n_layers", "layer_types", "attention_bias",
        "mlp_bias", "norm_bias", "classifier_pooling", "classifier_bias", modernBERTLocal.base)
      + SettingKey.fixed("classifier_activation", .string("gelu"))
      + SettingKey.absent("head_dim", "rope_scaling")
      + SettingKey.harmless(
        "decoder_bias", "deterministic_flash_attn", "embedding_dropout", "mlp_dropout",
        "initializer_cutoff_factor", "position_embedding_type", "layer_norm_eps",
        "reference_compile", "repad_logits_with_grad", "sparse_pred_ignore_index",
        "sparse_prediction", "hidden_act", "type_vocab_size"),
    tokenizerClasses: ["modernbert": "TokenizersBackend"], tokenizersHaveTypes: false,
    configuration: modernBERTConfiguration, prefixes: ["model.", ""],
    embeddings: [
      TensorRule(
        "embeddings.word", ["embeddings.tok_embeddings.weight"], .wordTable,
        [.vocabulary, .embedding])
    ] + modernBERTNorm("embeddings.norm", "embeddings.norm"),
    layer: modernBERTNorm("layer.#.attention.norm", "layers.#.attn_norm")
      .map { $0.behindFirstLayer() }
      + TensorRule.linear(
        "layer.#.attention.qkv", ["layers.#.attn.Wqkv"], rows: [.fused], .hidden,
        bias: .declared("attention_bias", default: false))
      + TensorRule.linear(
        "layer.#.attention.output", ["layers.#.attn.Wo"], rows: [.hidden], .queries,
        bias: .declared("attention_bias", default: false))
      + modernBERTNorm("layer.#.feed_forward.norm", "layers.#.mlp_norm")
      // The first half of the rows is what passes through the activation.
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["layers.#.mlp.Wi"], rows: [.gated], .hidden,
        bias: .declared("mlp_bias", default: false))
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["layers.#.mlp.Wo"], rows: [.hidden], .intermediate,
        bias: .declared("mlp_bias", default: false)),
    final: modernBERTNorm("final_norm", "final_norm"),
    head: LanguageModelHead(
      dense: "head.dense", norm: "head.norm", weight: "decoder.weight", biases: ["decoder.bias"],
      activation: .gelu, denseBias: .declared("classifier_bias", default: false),
      normBias: .declared("norm_bias", default: false)),
    textHead: modernBERTHead, tokenHead: modernBERTHead)

  private static let modernBERTHead = HeadNames(
    layers: .linear("head.dense", .gelu), .norm("head.norm"), .linear("classifier", .identity))

  private static func modernBERTNorm(_ name: String, _ source: String) -> [TensorRule] {
    TensorRule.norm(name, source, bias: .declared("norm_bias", default: false))
  }

  private static func modernBERTConfiguration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    var configuration = try CheckpointConfiguration(
      rotaryEncoder: config, modernBERTKeys, epsilon: 1e-5, activation: .gelu)
    var c = configuration.architecture
    c.normPlacement = .pre
    c.skipsFirstNorm = true
    let width = try config.size("local_attention", 1 << 20, default: 128)
    let every = try config.size("global_attn_every_n_layers", 1024, default: 3)
    c.slidingWindow = try SlidingWindow(
      encoder: config, reach: width / 2, layers: c.layers, isLocal: { $0 % every != 0 })
    if c.slidingWindow != nil {
      let local = try RotaryFrequencies(config, headSize: c.headSize, keys: modernBERTLocal)
      guard local.scale == 1 else {
        throw .badInput("\(config.path): rope_parameters: sliding_attention has a scale")
      }
      configuration.localRotaryFrequencies = local.frequencies
      c.hasLocalRotary = true
    }
    configuration.architecture = c
    switch config["classifier_pooling"]?.text ?? "cls" {
    case "cls": break
    case "mean": configuration.headPooling = .mean
    case let other:
      throw .badInput(
        "\(config.path): classifier_pooling \(other) is not supported; supported: cls, mean")
    }
    return configuration
  }
}
