/// The tensor names of a causal architecture, as a table.
struct DecoderMap: Sendable {
  /// `model_type` in config.json.
  let modelTypes: [String]
  /// An optional prefix of all tensor names except that of the head.
  let prefixes: [String]
  let embeddings: [TensorRule]
  let layer: [TensorRule]
  let final: [TensorRule]
  /// The name of the head's rows if they are not the word embeddings.
  let head: String

  static let all = [gpt2, llama, neoX]

  static let gpt2 = DecoderMap(
    modelTypes: ["gpt2"], prefixes: ["transformer.", ""],
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
    final: TensorRule.norm("final_norm", "ln_f"), head: "lm_head.weight")

  /// Llama and similar models: Mistral, Qwen 2 and 3.
  static let llama = DecoderMap(
    modelTypes: ["llama", "mistral", "qwen2", "qwen3"], prefixes: ["model.", ""],
    embeddings: [
      TensorRule("embeddings.word", ["embed_tokens.weight"], .wordTable, [.vocabulary, .hidden])
    ],
    layer: TensorRule.norm("layer.#.attention.norm", "layers.#.input_layernorm", hasBias: false)
      + TensorRule.linear(
        "layer.#.attention.qkv", ["q", "k", "v"].map { "layers.#.self_attn.\($0)_proj" },
        rows: [.queries, .keyValues, .keyValues], .hidden, optionalBias: true)
      + TensorRule.norm(
        "layer.#.attention.query_norm", "layers.#.self_attn.q_norm", .head, hasBias: false
      ).map(\.optional)
      + TensorRule.norm(
        "layer.#.attention.key_norm", "layers.#.self_attn.k_norm", .head, hasBias: false
      ).map(\.optional)
      + TensorRule.linear(
        "layer.#.attention.output", ["layers.#.self_attn.o_proj"], rows: [.hidden], .queries,
        optionalBias: true)
      + TensorRule.norm(
        "layer.#.feed_forward.norm", "layers.#.post_attention_layernorm", hasBias: false)
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["gate", "up"].map { "layers.#.mlp.\($0)_proj" },
        rows: [.intermediate, .intermediate], .hidden, optionalBias: true)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["layers.#.mlp.down_proj"], rows: [.hidden], .intermediate,
        optionalBias: true),
    final: TensorRule.norm("final_norm", "norm", hasBias: false), head: "lm_head.weight")

  /// GPT-NeoX and Pythia.
  static let neoX = DecoderMap(
    modelTypes: ["gpt_neox"], prefixes: ["gpt_neox.", ""],
    embeddings: [
      TensorRule("embeddings.word", ["embed_in.weight"], .wordTable, [.vocabulary, .hidden])
    ],
    layer: TensorRule.norm("layer.#.attention.norm", "layers.#.input_layernorm")
      + TensorRule.linear(
        "layer.#.attention.qkv", ["layers.#.attention.query_key_value"], rows: [.fused], .hidden,
        layout: .headByHead, optionalBias: true)
      + TensorRule.linear(
        "layer.#.attention.output", ["layers.#.attention.dense"], rows: [.hidden], .queries,
        optionalBias: true)
      + TensorRule.norm("layer.#.feed_forward.norm", "layers.#.post_attention_layernorm")
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["layers.#.mlp.dense_h_to_4h"], rows: [.intermediate], .hidden)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["layers.#.mlp.dense_4h_to_h"], rows: [.hidden],
        .intermediate),
    final: TensorRule.norm("final_norm", "final_layer_norm"), head: "embed_out.weight")
}
