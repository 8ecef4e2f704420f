import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let falconRotary = RotaryKeys(isPartial: false, defaultLongest: 2048)

  /// The norms before attention and the feed-forward network.
  private enum FalconNorms {
    /// One for both, as in Falcon 7B and 11B.
    case shared
    /// One for each, as in Falcon 40B.
    case parallel
    /// The feed-forward network follows attention.
    case sequential
  }

  /// Falcon (Almazrouei et al. 2023): LayerNorm, rotary positions, a parallel residual, and queries,
  /// keys and values in one tensor, group by group.
  static let falcon: CheckpointArchitecture = {
    var architecture = falcon(.shared)
    architecture.variants = [
      Variant(
        isOf: { isNew($0.config) && ($0.config["num_ln_in_parallel_attn"]?.integer ?? 2) == 2 },
        architecture: falcon(.parallel)),
      Variant(
        isOf: { !isNew($0.config) && $0.config["parallel_attn"]?.boolean == false },
        architecture: falcon(.sequential)),
    ]
    return architecture
  }()

  private static func isNew(_ config: JSON) -> Bool {
    config["new_decoder_architecture"]?.boolean ?? false
  }

  private static func falcon(_ norms: FalconNorms) -> CheckpointArchitecture {
    let (attention, feedForward) =
      switch norms {
      case .shared: ("input_layernorm", "input_layernorm")
      case .parallel: ("ln_attn", "ln_mlp")
      case .sequential: ("input_layernorm", "post_attention_layernorm")
      }
    func linear(
      _ name: String, _ source: String, _ rows: Axis, _ columns: Axis,
      layout: SourceLayout = .rows
    ) -> [TensorRule] {
      TensorRule.linear(
        "layer.#.\(name)", ["h.#.\(source)"], rows: [rows], columns, layout: layout,
        bias: .declared("bias", default: false))
    }
    return CheckpointArchitecture(
      title: "Falcon", modelTypes: ["falcon"],
      settings: SettingKeys.decoder
        + SettingKey.followed(
          "hidden_size", "num_hidden_layers", "num_attention_heads", "num_kv_heads",
          "new_decoder_architecture", "multi_query", "parallel_attn", "num_ln_in_parallel_attn",
          "ffn_hidden_size", "activation", "bias", "layer_norm_epsilon",
          "max_position_embeddings", "rope_parameters", "rope_scaling",
          "original_max_position_embeddings", falconRotary.base, falconRotary.share)
        + SettingKey.absent("alibi", "apply_residual_connection_post_layernorm"),
      tokenizerClasses: [:],
      configuration: { (config) throws(VDSQError) in try falconConfiguration(config, norms) },
      prefixes: ["transformer.", ""],
      embeddings: [
        TensorRule(
          "embeddings.word", ["word_embeddings.weight"], .wordTable, [.vocabulary, .hidden])
      ],
      layer: TensorRule.norm("layer.#.attention.norm", "h.#.\(attention)")
        + linear(
          "attention.qkv", "self_attention.query_key_value", .fused, .hidden,
          layout: .groupByGroup)
        + linear("attention.output", "self_attention.dense", .hidden, .queries)
        + TensorRule.norm("layer.#.feed_forward.norm", "h.#.\(feedForward)")
        + linear("feed_forward.up", "mlp.dense_h_to_4h", .intermediate, .hidden)
        + linear("feed_forward.down", "mlp.dense_4h_to_h", .hidden, .intermediate),
      final: TensorRule.norm("final_norm", "ln_f"),
      head: LanguageModelHead(weight: "lm_head.weight", isTiedByDefault: true),
      textHead: HeadNames(("score", .identity)), tokenHead: HeadNames(("classifier", .identity)),
      code: ["Model", "ForCausalLM", "ForSequenceClassification", "ForTokenClassification"]
        .map { "Falcon\($0)" })
  }

  private static func falconConfiguration(
    _ config: ConfigReader, _ norms: FalconNorms
  ) throws(VDSQError) -> CheckpointConfiguration {
    let hidden = try config.size("hidden_size", 65536)
    let heads = try config.size("num_attention_heads", 4096)
    let isNew = try config.flag("new_decoder_architecture", default: false)
    let groups = try config.size("num_kv_heads", heads, default: heads)
    let isShared = try config.flag("multi_query", default: true)
    let keyValueHeads = isNew ? groups : isShared ? 1 : heads
    guard hidden % heads == 0, heads % keyValueHeads == 0 else {
      throw .badInput("\(config.path): sizes are not multiples of the numbers of heads")
    }
    let isParallel = try config.flag("parallel_attn", default: true)
    guard !isNew || isParallel else {
      throw .badInput(
        "\(config.path): new_decoder_architecture without parallel_attn is not supported")
    }
    let headSize = hidden / heads
    let rotary = try RotaryFrequencies(config, headSize: headSize, keys: falconRotary)
    var c = Architecture(
      decoder: hidden, layers: try config.size("num_hidden_layers", 1024), heads: heads,
      headSize: headSize,
      intermediateSize: try config.size("ffn_hidden_size", 1 << 20, default: 4 * hidden),
      vocabularySize: try config.size("vocab_size", 1 << 24),
      maximumTokens: rotary.maximumTokens,
      positions: .rotary(dimensions: 2 * rotary.frequencies.count, scale: rotary.scale),
      normEpsilon: try config.epsilon("layer_norm_epsilon", default: 1e-5),
      activation: try config.activation("activation", default: .gelu))
    c.keyValueHeads = keyValueHeads
    c.hasParallelResidual = norms != .sequential
    return CheckpointConfiguration(
      architecture: c, rotaryFrequencies: rotary.frequencies, warnings: rotary.warnings)
  }
}
