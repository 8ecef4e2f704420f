import VDSQFormat

extension CheckpointArchitecture {
  private static let gptNeoXRotary = RotaryKeys(
    base: "rotary_emb_base", share: "rotary_pct", defaultShare: 0.25)

  /// GPT-NeoX (Black et al. 2022) and Pythia: LayerNorm, rotary positions in a quarter of each
  /// head, and a parallel residual by default.
  static let gptNeoX = CheckpointArchitecture(
    title: "GPT-NeoX, Pythia", modelTypes: ["gpt_neox"],
    settings: CheckpointConfiguration.rotarySettings(gptNeoXRotary, epsilon: "layer_norm_eps")
      + SettingKey.followed("use_parallel_residual", "attention_bias"),
    tokenizerClasses: ["gpt_neox": "GPTNeoXTokenizer"],
    configuration: { (config) throws(VDSQError) in
      var configuration = try CheckpointConfiguration(
        rotaryDecoder: config, rotary: gptNeoXRotary, epsilon: ("layer_norm_eps", 1e-5),
        activation: .gelu)
      configuration.architecture.hasParallelResidual =
        try config.flag("use_parallel_residual", default: true)
      return configuration
    },
    prefixes: ["gpt_neox.", ""],
    embeddings: [
      TensorRule("embeddings.word", ["embed_in.weight"], .wordTable, [.vocabulary, .hidden])
    ],
    layer: TensorRule.norm("layer.#.attention.norm", "layers.#.input_layernorm")
      + TensorRule.linear(
        "layer.#.attention.qkv", ["layers.#.attention.query_key_value"], rows: [.fused], .hidden,
        layout: .groupByGroup, bias: .declared("attention_bias", default: true))
      + TensorRule.linear(
        "layer.#.attention.output", ["layers.#.attention.dense"], rows: [.hidden], .queries,
        bias: .declared("attention_bias", default: true))
      + TensorRule.norm("layer.#.feed_forward.norm", "layers.#.post_attention_layernorm")
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["layers.#.mlp.dense_h_to_4h"], rows: [.intermediate], .hidden)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["layers.#.mlp.dense_4h_to_h"], rows: [.hidden],
        .intermediate),
    final: TensorRule.norm("final_norm", "final_layer_norm"),
    head: LanguageModelHead(weight: "embed_out.weight"),
    textHead: HeadNames(("score", .identity)), tokenHead: HeadNames(("classifier", .identity)))
}
