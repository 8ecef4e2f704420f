import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// Llama 1 to 3 (Touvron et al. 2023): RMSNorm, rotary positions, a gated feed-forward network,
  /// and fewer heads of keys and values than of queries.
  static let llama = llamaLike(
    modelTypes: ["llama"], tokenizerClass: "LlamaTokenizer",
    gguf: llamaLikeGGUF("llama", alternatingHeadSize: "head_dim"))

  /// An architecture with the layers and the names of Llama.
  ///
  /// - Parameters:
  ///   - tokenizerClass: the class of transformers' tokenizer.
  ///   - usesWindow: whether `sliding_window` applies if `use_sliding_window` is absent.
  ///   - firstSlidingLayer: the key of the first layer with a sliding window, and its default; nil
  ///     if the window applies to all layers. `layer_types` precedes it.
  static func llamaLike(
    modelTypes: [String], tokenizerClass: String, usesWindow: Bool = false,
    firstSlidingLayer: (key: String, default: Int)? = nil, gguf: GGUFArchitecture? = nil
  ) -> CheckpointArchitecture {
    CheckpointArchitecture(
      modelTypes: modelTypes,
      settings: CheckpointConfiguration.rotarySettings(RotaryKeys(), epsilon: "rms_norm_eps")
        + SettingKey.followed("sliding_window", "use_sliding_window")
        + (firstSlidingLayer.map { SettingKey.followed($0.key) }
          ?? SettingKey.harmless("max_window_layers")),
      tokenizerClasses: Dictionary(
        uniqueKeysWithValues: modelTypes.map { ($0, tokenizerClass) }),
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
      head: LanguageModelHead(weight: "lm_head.weight"), gguf: gguf)
  }

  /// The names of an architecture with the layers of Llama in GGUF files.
  ///
  /// - Parameters:
  ///   - name: the value of `general.architecture`, and of `model_type`.
  ///   - alternatingHeadSize: see `GGUFArchitecture`.
  static func llamaLikeGGUF(
    _ name: String, alternatingHeadSize: String? = nil
  ) -> GGUFArchitecture {
    GGUFArchitecture(
      name: name,
      tensors: [
        "token_embd.weight": "model.embed_tokens.weight",
        "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight",
      ],
      layerTensors: [
        "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
        "attn_k_norm": "self_attn.k_norm", "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
      ].mapValues { "model.layers.#.\($0)" },
      alternatingHeadSize: alternatingHeadSize, isRotary: true,
      config: { (m) throws(VDSQError) in
        try llamaLikeConfig(m, modelType: name, alternates: alternatingHeadSize != nil)
      })
  }

  private static func llamaLikeConfig(
    _ m: GGUFMetadata, modelType: String, alternates: Bool
  ) throws(VDSQError) -> [(key: String, value: JSON)] {
    let hidden = try m.size("embedding_length"), heads = try m.size("attention.head_count")
    let head = try m.size("attention.key_length", default: hidden / max(heads, 1))
    guard try m.size("attention.value_length", default: head) == head else {
      throw m.refused("attention.value_length", "other sizes than of keys are not supported")
    }
    let rotated = try m.size("rope.dimension_count", default: head)
    guard rotated <= head, rotated == head || !alternates else {
      throw m.refused("rope.dimension_count", "\(rotated) of \(head) is not supported")
    }
    let longest = try m.size("context_length")
    let window = try m.size("attention.sliding_window", default: longest)
    guard window >= longest || alternates else {
      throw m.refused(
        "attention.sliding_window", "\(window): the file does not say which layers have it")
    }
    let sliding: [(key: String, value: JSON)] =
      window >= longest
      ? [] : [("sliding_window", .integer(window)), ("use_sliding_window", .bool(true))]
    return sliding + [
      ("model_type", .string(modelType)), ("hidden_size", .integer(hidden)),
      ("num_hidden_layers", .integer(try m.size("block_count"))),
      ("num_attention_heads", .integer(heads)),
      ("num_key_value_heads", .integer(try m.size("attention.head_count_kv", default: heads))),
      ("head_dim", .integer(head)),
      ("intermediate_size", .integer(try m.size("feed_forward_length"))),
      ("max_position_embeddings", .integer(longest)),
      ("rms_norm_eps", .number(try m.number("attention.layer_norm_rms_epsilon"))),
      ("vocab_size", .integer(try m.vocabulary())), ("hidden_act", .string("silu")),
      (
        "rope_parameters",
        JSON(
          members: try RotaryKeys.parameters(
            m, longest: longest, share: Double(rotated) / Double(head)))
      ),
      ("tie_word_embeddings", .bool(m.file.tensors["output.weight"] == nil)),
    ]
  }

  /// The names of Llama in files of llama2.c.
  static let llama2C = Llama2CNames(
    tensors: [
      "token_embedding_table": "model.embed_tokens.weight", "rms_final_weight": "model.norm.weight",
      "wcls": "lm_head.weight", "rms_att_weight": "model.layers.#.input_layernorm.weight",
      "rms_ffn_weight": "model.layers.#.post_attention_layernorm.weight",
      "wq": "model.layers.#.self_attn.q_proj.weight",
      "wk": "model.layers.#.self_attn.k_proj.weight",
      "wv": "model.layers.#.self_attn.v_proj.weight",
      "wo": "model.layers.#.self_attn.o_proj.weight",
      "w1": "model.layers.#.mlp.gate_proj.weight", "w2": "model.layers.#.mlp.down_proj.weight",
      "w3": "model.layers.#.mlp.up_proj.weight",
    ],
    config: { header in
      [
        ("model_type", .string("llama")), ("hidden_size", .integer(header.dim)),
        ("num_hidden_layers", .integer(header.layers)),
        ("num_attention_heads", .integer(header.heads)),
        ("num_key_value_heads", .integer(header.keyValueHeads)),
        ("intermediate_size", .integer(header.hidden)),
        ("max_position_embeddings", .integer(header.positions)), ("rms_norm_eps", .number(1e-5)),
        ("vocab_size", .integer(header.vocabulary)), ("hidden_act", .string("silu")),
        ("tie_word_embeddings", .bool(header.isShared)),
      ]
    })
}
