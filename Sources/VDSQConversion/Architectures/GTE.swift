import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let gteRotary = RotaryKeys(defaultBase: 160_000, isPartial: false)
  private static let gteKeys = RotaryEncoderKeys(
    headSize: "head_dim", tokenTypes: ("type_vocab_size", 1), rotary: gteRotary)

  /// GTE (Zhang et al. 2024), such as gte-multilingual and Arctic Embed 2: BERT with rotary
  /// positions and a gate of GELU.
  static let gte = CheckpointArchitecture(
    title: "GTE, Arctic Embed 2", modelTypes: ["gte", "new"], settings: gteKeys.settings,
    tokenizerClasses: ["gte": "XLMRobertaTokenizer"],
    configuration: { (config) throws(VDSQError) in
      try CheckpointConfiguration(rotaryEncoder: config, gteKeys, activation: .gelu)
    },
    prefixes: ["gte.", ""], embeddings: rotaryEmbeddings,
    layer: rotaryPostNormLayer(hasBiases: true),
    head: gteHead(norm: "layer_norm"),
    textHead: HeadNames(("gte.pooler.dense", .tanh), ("classifier", .identity)),
    tokenHead: HeadNames(("classifier", .identity)),
    variants: [variant(ending: ".attn_ln.weight", gteByCode)])

  private static let gteCodeKeys: RotaryEncoderKeys = {
    var keys = RotaryEncoderKeys(tokenTypes: ("type_vocab_size", 1))
    keys.rotary.hasNTK = true
    keys.rotary.isPartial = false
    return keys
  }()

  /// The same by the names of the code that comes with the checkpoints.
  private static let gteByCode = CheckpointArchitecture(
    title: "GTE, Arctic Embed 2, by its code", modelTypes: ["gte", "new"],
    settings: gteCodeKeys.settings
      + SettingKey.fixed("position_embedding_type", .string("rope"))
      + SettingKey.fixed("layer_norm_type", .string("layer_norm"))
      + SettingKey.fixed("pack_qkv", .bool(true))
      + SettingKey.absent("logn_attention_scale")
      + SettingKey.harmless(
        "logn_attention_clip1", "use_memory_efficient_attention", "unpad_inputs", "head_dim"),
    tokenizerClasses: [:],
    configuration: { (config) throws(VDSQError) in
      try CheckpointConfiguration(rotaryEncoder: config, gteCodeKeys, activation: .gelu)
    },
    prefixes: ["new.", "gte.", ""], embeddings: rotaryEmbeddings,
    layer: TensorRule.linear(
      "layer.#.attention.qkv", ["encoder.layer.#.attention.qkv_proj"], rows: [.fused], .hidden)
      + TensorRule.linear(
        "layer.#.attention.output", ["encoder.layer.#.attention.o_proj"], rows: [.hidden],
        .queries)
      + TensorRule.norm("layer.#.attention.norm", "encoder.layer.#.attn_ln")
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["encoder.layer.#.mlp.up_gate_proj"], rows: [.gated], .hidden,
        layout: .upFirst, bias: nil)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["encoder.layer.#.mlp.down_proj"], rows: [.hidden],
        .intermediate)
      + TensorRule.norm("layer.#.feed_forward.norm", "encoder.layer.#.mlp_ln"),
    head: gteHead(norm: "norm"),
    textHead: HeadNames(("new.pooler.dense", .tanh), ("classifier", .identity)),
    tokenHead: HeadNames(("classifier", .identity)),
    code: [
      "Model", "ForMaskedLM", "ForMultipleChoice", "ForQuestionAnswering",
      "ForSequenceClassification", "ForTokenClassification",
    ]
    .flatMap { ["New\($0)", "Gte\($0)"] })

  private static func gteHead(norm: String) -> LanguageModelHead {
    LanguageModelHead(
      dense: "lm_head.dense", norm: "lm_head.\(norm)", weight: "lm_head.decoder.weight",
      biases: ["lm_head.decoder.bias"], activation: .gelu)
  }
}
