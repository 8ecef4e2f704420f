import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// MPT (MosaicML 2023): LayerNorm without biases, and losses that grow with distances (ALiBi)
  /// instead of positions.
  static let mpt = CheckpointArchitecture(
    title: "MPT", modelTypes: ["mpt"],
    settings: SettingKeys.decoder
      + SettingKey.followed(
        "d_model", "n_heads", "n_layers", "max_seq_len", "attn_config", "layer_norm_epsilon")
      + SettingKey.fixed("expansion_ratio", .integer(4))
      + SettingKey.fixed("no_bias", .bool(true))
      + SettingKey.fixed(
        "norm_type", .string("low_precision_layernorm"), .string("layernorm"))
      + SettingKey.absent("logit_scale")
      // Positions are losses whatever `learned_pos_emb` is. The others are for training.
      + SettingKey.harmless(
        "learned_pos_emb", "embedding_fraction", "emb_pdrop", "init_config", "init_device",
        "verbose"),
    tokenizerClasses: [:], configuration: mptConfiguration, prefixes: ["transformer.", ""],
    embeddings: [
      TensorRule("embeddings.word", ["wte.weight"], .wordTable, [.vocabulary, .hidden])
    ],
    layer: TensorRule.norm("layer.#.attention.norm", "blocks.#.norm_1", hasBias: false)
      + TensorRule.linear(
        "layer.#.attention.qkv", ["blocks.#.attn.Wqkv"], rows: [.fused], .hidden, bias: nil)
      + TensorRule.linear(
        "layer.#.attention.output", ["blocks.#.attn.out_proj"], rows: [.hidden], .queries,
        bias: nil)
      + TensorRule.norm("layer.#.feed_forward.norm", "blocks.#.norm_2", hasBias: false)
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["blocks.#.ffn.up_proj"], rows: [.intermediate], .hidden,
        bias: nil)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["blocks.#.ffn.down_proj"], rows: [.hidden], .intermediate,
        bias: nil),
    final: TensorRule.norm("final_norm", "norm_f", hasBias: false),
    head: LanguageModelHead(weight: "lm_head.weight", isTiedByDefault: true),
    textHead: HeadNames(("score", .identity)), tokenHead: HeadNames(("classifier", .identity)),
    code: ["MPTForCausalLM", "MPTModel"])

  /// The keys of `attn_config`.
  private static let mptAttention: [SettingKey] =
    SettingKey.followed("softmax_scale")
    + SettingKey.fixed("attn_type", .string("multihead_attention"))
    + SettingKey.fixed("alibi", .bool(true))
    // transformers does not follow another maximum.
    + SettingKey.fixed("alibi_bias_max", .integer(8))
    + SettingKey.absent(
      "clip_qkv", "prefix_lm", "qk_ln", "qk_gn", "attn_uses_sequence_id", "rope",
      "sliding_window_size")
    // Dropout, the implementation, and parameters of rotary positions, which are refused.
    + SettingKey.harmless(
      "attn_impl", "rope_theta", "rope_impl", "rope_dail_config", "rope_hf_config")

  private static func mptConfiguration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    let hidden = try config.size("d_model", 65536)
    let heads = try config.size("n_heads", 4096)
    guard hidden % heads == 0 else {
      throw .badInput("\(config.path): d_model is not a multiple of n_heads")
    }
    let attention = config["attn_config"] ?? .object([])
    let path = "\(config.path): attn_config"
    let unknown = try SettingKeys.config(mptAttention).check(attention, path: path)
    var c = Architecture(
      decoder: hidden, layers: try config.size("n_layers", 1024), heads: heads,
      headSize: hidden / heads, intermediateSize: 4 * hidden,
      vocabularySize: try config.size("vocab_size", 1 << 24),
      maximumTokens: try config.size("max_seq_len", 1 << 24, default: 2048), positions: .none,
      normEpsilon: try config.epsilon("layer_norm_epsilon", default: 1e-5), activation: .gelu)
    c.distanceBias = .linear
    if let scale = attention["softmax_scale"], !scale.isNull {
      guard let scale = scale.double, scale >= 1e-6, scale <= 1e6 else {
        throw .badInput("\(path): softmax_scale is not from 1e-6 to 1e6")
      }
      c.attentionDivisor = 1 / scale
    }
    return CheckpointConfiguration(
      architecture: c, distanceSlopes: ALiBi.slopes(heads: heads),
      warnings: unknown.map { "\(path): \($0) is not known, and not followed" })
  }
}
