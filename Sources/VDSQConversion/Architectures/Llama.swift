import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// Llama 1 to 3 (Touvron et al. 2023): RMSNorm, rotary positions, a gated feed-forward network,
  /// and fewer heads of keys and values than of queries.
  static let llama = llamaLike(
    modelTypes: ["llama"], tokenizerClass: nil, attentionBias: true, mlpBias: true,
    gguf: llamaLikeGGUF("llama", alternatingHeadSize: "head_dim"))

  /// An architecture with the layers and the names of Llama.
  ///
  /// - Parameters:
  ///   - tokenizerClass: the class of transformers' tokenizer; nil if folders name it.
  ///   - window: how the configuration of a folder describes a sliding window; nil if its class has
  ///     none.
  ///   - attentionBias: whether `attention_bias` says that the linear layers of attention have
  ///     biases. Otherwise the key is ignored.
  ///   - mlpBias: whether `mlp_bias` says that of the feed-forward network.
  ///   - queryBias: which checkpoints have biases of queries, keys and values, if no key says so.
  ///   - hasHeadNorms: whether queries and keys of each head are normalized.
  ///   - headSize: the size of a head without `head_dim`; nil for its share of the hidden size.
  ///   - ignoresTokenizerClass: see `CheckpointArchitecture`.
  static func llamaLike(
    modelTypes: [String], tokenizerClass: String?, window: SlidingWindow.Keys? = nil,
    attentionBias: Bool = false, mlpBias: Bool = false, queryBias: TensorRule.Presence? = nil,
    hasHeadNorms: Bool = false, headSize: Int? = nil,
    ignoresTokenizerClass: Bool = false, gguf: GGUFArchitecture? = nil
  ) -> CheckpointArchitecture {
    let rotary = RotaryKeys(isPartial: false)
    let ofAttention: TensorRule.Presence? =
      attentionBias ? .declared("attention_bias", default: false) : nil
    let ofNetwork: TensorRule.Presence? = mlpBias ? .declared("mlp_bias", default: false) : nil
    let norms =
      ["query", "key"].flatMap { name in
        TensorRule.norm(
          "layer.#.attention.\(name)_norm", "layers.#.self_attn.\(name.prefix(1))_norm", .head,
          hasBias: false)
      }
    func setting(_ key: String, isFollowed: Bool) -> [SettingKey] {
      isFollowed ? SettingKey.followed(key) : SettingKey.harmless(key)
    }
    return CheckpointArchitecture(
      modelTypes: modelTypes,
      settings: CheckpointConfiguration.rotarySettings(rotary, epsilon: "rms_norm_eps")
        + SlidingWindow.settings(window)
        + setting("attention_bias", isFollowed: attentionBias)
        + setting("mlp_bias", isFollowed: mlpBias),
      tokenizerClasses: Dictionary(
        uniqueKeysWithValues: tokenizerClass.map { name in modelTypes.map { ($0, name) } } ?? []),
      ignoresTokenizerClass: ignoresTokenizerClass,
      configuration: { (config) throws(VDSQError) in
        var configuration = try CheckpointConfiguration(
          rotaryDecoder: config, rotary: rotary, epsilon: ("rms_norm_eps", 1e-6),
          activation: .silu, headSize: headSize)
        configuration.architecture.norm = .rmsNorm
        configuration.architecture.isGated = true
        configuration.architecture.slidingWindow = try SlidingWindow(
          config, layers: configuration.architecture.layers, window)
        return configuration
      },
      prefixes: ["model.", ""],
      embeddings: [
        TensorRule("embeddings.word", ["embed_tokens.weight"], .wordTable, [.vocabulary, .hidden])
      ],
      layer: TensorRule.norm("layer.#.attention.norm", "layers.#.input_layernorm", hasBias: false)
        + TensorRule.linear(
          "layer.#.attention.qkv", ["q", "k", "v"].map { "layers.#.self_attn.\($0)_proj" },
          rows: [.queries, .keyValues, .keyValues], .hidden, bias: queryBias ?? ofAttention)
        + (hasHeadNorms ? norms : [])
        + TensorRule.linear(
          "layer.#.attention.output", ["layers.#.self_attn.o_proj"], rows: [.hidden], .queries,
          bias: ofAttention)
        + TensorRule.norm(
          "layer.#.feed_forward.norm", "layers.#.post_attention_layernorm", hasBias: false)
        + TensorRule.linear(
          "layer.#.feed_forward.up", ["gate", "up"].map { "layers.#.mlp.\($0)_proj" },
          rows: [.intermediate, .intermediate], .hidden, bias: ofNetwork)
        + TensorRule.linear(
          "layer.#.feed_forward.down", ["layers.#.mlp.down_proj"], rows: [.hidden], .intermediate,
          bias: ofNetwork),
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
