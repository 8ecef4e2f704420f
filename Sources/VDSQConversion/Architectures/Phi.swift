import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let phiRotary = RotaryKeys(defaultShare: 0.5)

  /// Phi 1, 1.5 and 2 (Li et al. 2023): LayerNorm, one for attention and the feed-forward network,
  /// which are parallel; rotary positions in a part of each head, and a head with biases.
  static let phi = CheckpointArchitecture(
    title: "Phi 1, 1.5 and 2", modelTypes: ["phi"],
    settings: CheckpointConfiguration.rotarySettings(phiRotary, epsilon: "layer_norm_eps"),
    tokenizerClasses: [:],
    configuration: { (config) throws(VDSQError) in
      var configuration = try CheckpointConfiguration(
        rotaryDecoder: config, rotary: phiRotary, epsilon: ("layer_norm_eps", 1e-5),
        activation: .geluNew)
      configuration.architecture.hasParallelResidual = true
      return configuration
    },
    prefixes: ["model.", ""], embeddings: llamaEmbeddings,
    layer: TensorRule.norm("layer.#.attention.norm", "layers.#.input_layernorm")
      + TensorRule.linear(
        "layer.#.attention.qkv", ["q", "k", "v"].map { "layers.#.self_attn.\($0)_proj" },
        rows: [.queries, .keyValues, .keyValues], .hidden)
      + TensorRule.linear(
        "layer.#.attention.output", ["layers.#.self_attn.dense"], rows: [.hidden], .queries)
      + TensorRule.norm("layer.#.feed_forward.norm", "layers.#.input_layernorm")
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["layers.#.mlp.fc1"], rows: [.intermediate], .hidden)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["layers.#.mlp.fc2"], rows: [.hidden], .intermediate),
    final: TensorRule.norm("final_norm", "final_layernorm"),
    head: LanguageModelHead(weight: "lm_head.weight", biases: ["lm_head.bias"]),
    textHead: HeadNames(("score", .identity)), tokenHead: HeadNames(("score", .identity)),
    code: ["PhiForCausalLM", "PhiModel"])
}
