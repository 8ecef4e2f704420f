import VDSQFormat

extension CheckpointArchitecture {
  /// Llama 1 to 3 (Touvron et al. 2023): RMSNorm, rotary positions, a gated feed-forward network,
  /// and fewer heads of keys and values than of queries.
  static let llama = llamaLike(modelTypes: ["llama"])

  /// An architecture with the layers and the names of Llama.
  ///
  /// - Parameters:
  ///   - usesWindow: whether `sliding_window` applies if `use_sliding_window` is absent.
  ///   - firstSlidingLayer: the key of the first layer with a sliding window, and its default; nil
  ///     if the window applies to all layers. `layer_types` precedes it.
  static func llamaLike(
    modelTypes: [String], usesWindow: Bool = false,
    firstSlidingLayer: (key: String, default: Int)? = nil
  ) -> CheckpointArchitecture {
    CheckpointArchitecture(
      modelTypes: modelTypes,
      configuration: { (config) throws(VDSQError) in
        var configuration = try CheckpointConfiguration(
          rotaryDecoder: config, rotary: RotaryKeys(), epsilon: "rms_norm_eps", activation: .silu)
        configuration.architecture.norm = .rmsNorm
        configuration.architecture.isGated = true
        configuration.architecture.slidingWindow = try SlidingWindow(
          config, layers: configuration.architecture.layers, isUsed: usesWindow,
          first: firstSlidingLayer)
        return configuration
      },
      prefixes: ["model.", ""],
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
      final: TensorRule.norm("final_norm", "norm", hasBias: false),
      head: LanguageModelHead(weight: "lm_head.weight"))
  }
}
