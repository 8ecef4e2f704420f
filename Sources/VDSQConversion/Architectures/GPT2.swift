import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// GPT-2 (Radford et al. 2019): learned positions, LayerNorm, and weights stored by columns.
  static let gpt2 = CheckpointArchitecture(
    title: "GPT-2", modelTypes: ["gpt2"],
    settings: SettingKeys.decoder
      + SettingKey.followed(
        "n_embd", "n_layer", "n_head", "n_inner", "n_positions", "layer_norm_epsilon",
        "activation_function")
      + SettingKey.fixed("scale_attn_weights", .bool(true))
      + SettingKey.absent("scale_attn_by_inverse_layer_idx")
      // The number of positions in older configurations, and how attention rounds.
      + SettingKey.harmless("n_ctx", "reorder_and_upcast_attn"),
    tokenizerClasses: ["gpt2": "GPT2Tokenizer"], configuration: gpt2Configuration,
    prefixes: ["transformer.", ""],
    embeddings: [
      TensorRule("embeddings.word", ["wte.weight"], .wordTable, [.vocabulary, .hidden]),
      TensorRule("embeddings.position", ["wpe.weight"], .positionTable, [.positions, .hidden]),
    ],
    layer: TensorRule.norm("layer.#.attention.norm", "h.#.ln_1")
      + TensorRule.linear(
        "layer.#.attention.qkv", ["h.#.attn.c_attn"], rows: [.fused], .hidden, layout: .columns)
      + TensorRule.linear(
        "layer.#.attention.output", ["h.#.attn.c_proj"], rows: [.hidden], .queries, layout: .columns
      )
      + TensorRule.norm("layer.#.feed_forward.norm", "h.#.ln_2")
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["h.#.mlp.c_fc"], rows: [.intermediate], .hidden,
        layout: .columns)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["h.#.mlp.c_proj"], rows: [.hidden], .intermediate,
        layout: .columns),
    final: TensorRule.norm("final_norm", "ln_f"),
    head: LanguageModelHead(weight: "lm_head.weight", isTiedByDefault: true),
    textHead: HeadNames(("score", .identity)), tokenHead: HeadNames(("classifier", .identity)),
    gguf: gpt2GGUF)

  private static let gpt2GGUF = GGUFArchitecture(
    name: "gpt2",
    tensors: [
      "token_embd.weight": "wte.weight", "position_embd.weight": "wpe.weight",
      "output_norm.weight": "ln_f.weight", "output_norm.bias": "ln_f.bias",
      "output.weight": "lm_head.weight",
    ],
    layerTensors: [
      "attn_norm": "h.#.ln_1", "attn_qkv": "h.#.attn.c_attn", "attn_output": "h.#.attn.c_proj",
      "ffn_norm": "h.#.ln_2", "ffn_up": "h.#.mlp.c_fc", "ffn_down": "h.#.mlp.c_proj",
    ],
    isTransposed: true,
    config: { (m) throws(VDSQError) in
      let hidden = try m.size("embedding_length"), heads = try m.size("attention.head_count")
      try m.checkPlainHeads(of: hidden, heads)
      // A head that is stored beside the embeddings is not tied to them.
      return [
        ("model_type", .string("gpt2")), ("n_embd", .integer(hidden)),
        ("n_layer", .integer(try m.size("block_count"))), ("n_head", .integer(heads)),
        ("n_positions", .integer(try m.size("context_length"))),
        ("n_inner", .integer(try m.size("feed_forward_length"))),
        ("layer_norm_epsilon", .number(try m.number("attention.layer_norm_epsilon"))),
        ("vocab_size", .integer(try m.vocabulary())),
        ("tie_word_embeddings", .bool(m.file.tensors["output.weight"] == nil)),
      ]
    })

  private static func gpt2Configuration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    let vocabularySize = try config.size("vocab_size", 1 << 24)
    let hiddenSize = try config.size("n_embd", 65536)
    let layers = try config.size("n_layer", 1024)
    let heads = try config.size("n_head", 4096)
    guard hiddenSize % heads == 0 else {
      throw .badInput("\(config.path): n_embd is not a multiple of n_head")
    }
    let intermediateSize = try config.size("n_inner", 1 << 20, default: 4 * hiddenSize)
    let positions = try config.size("n_positions", 1 << 24)
    let epsilon = try config.epsilon("layer_norm_epsilon", default: 1e-5)
    return CheckpointConfiguration(
      architecture: Architecture(
        decoder: hiddenSize, layers: layers, heads: heads, headSize: hiddenSize / heads,
        intermediateSize: intermediateSize, vocabularySize: vocabularySize,
        maximumTokens: positions, positions: .learned(rows: positions), normEpsilon: epsilon,
        activation: try config.activation("activation_function", default: .geluNew)))
  }
}
