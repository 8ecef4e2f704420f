import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// Llama 1 to 3 (Touvron et al. 2023): RMSNorm, rotary positions, a gated feed-forward network,
  /// and fewer heads of keys and values than of queries.
  static let llama = llamaLike(
    title: "Llama", references: ["transformers", "SmolLM2-135M"], modelTypes: ["llama"],
    tokenizerClass: nil, attentionBias: true, mlpBias: true,
    gguf: llamaLikeGGUF("llama", alternatingHeadSize: "head_dim"))

  /// The tensors before the layers, by the names that Llama has and many others took over.
  static let llamaEmbeddings = [
    TensorRule("embeddings.word", ["embed_tokens.weight"], .wordTable, [.vocabulary, .hidden])
  ]

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
  ///   - hasOutputNorms: whether norms follow attention and the feed-forward network instead of
  ///     preceding them, and queries and keys of all heads are normalized together.
  ///   - hasLayerNorm: whether norms are those with a mean and a bias.
  ///   - isFused: whether queries, keys and values are one tensor, and the gate and the up
  ///     projection another.
  ///   - rotary: the names of the rotary parameters.
  ///   - epsilon: the epsilon of the norms if `rms_norm_eps` is absent.
  ///   - activation: the activation if the configuration has none.
  ///   - activationKey: a key that precedes `hidden_act`; nil if there is none.
  ///   - scalesEmbeddings: whether word embeddings are multiplied by the square root of their size.
  ///   - normOffset: what folders have subtracted from the gains of norms.
  ///   - isTiedByDefault: whether the head is the word embeddings without `tie_word_embeddings`.
  ///   - headSize: the size of a head without `head_dim`; nil for its share of the hidden size.
  ///   - ignoresTokenizerClass: see `CheckpointArchitecture`.
  static func llamaLike(
    title: String, references: [String] = ["transformers"], modelTypes: [String],
    tokenizerClass: String?, window: SlidingWindow.Keys? = nil,
    attentionBias: Bool = false, mlpBias: Bool = false, queryBias: TensorRule.Presence? = nil,
    hasHeadNorms: Bool = false, hasOutputNorms: Bool = false, hasLayerNorm: Bool = false,
    isFused: Bool = false, rotary: RotaryKeys = RotaryKeys(isPartial: false),
    epsilon: Double = 1e-6,
    activation: ActivationFunction = .silu, activationKey: String? = nil,
    scalesEmbeddings: Bool = false, normOffset: Float = 0, isTiedByDefault: Bool = false,
    headSize: Int? = nil, ignoresTokenizerClass: Bool = false, gguf: GGUFArchitecture? = nil
  ) -> CheckpointArchitecture {
    let ofAttention: TensorRule.Presence? =
      attentionBias ? .declared("attention_bias", default: false) : nil
    let ofNetwork: TensorRule.Presence? = mlpBias ? .declared("mlp_bias", default: false) : nil
    let norms =
      ["query", "key"].flatMap { name in
        TensorRule.norm(
          "layer.#.attention.\(name)_norm", "layers.#.self_attn.\(name.prefix(1))_norm",
          !hasOutputNorms ? .head : name == "query" ? .queries : .keyValues, hasBias: false)
      }
    func norm(_ name: String, _ source: String) -> [TensorRule] {
      TensorRule.norm(name, source, hasBias: hasLayerNorm, offset: normOffset)
    }
    /// Projections of the states, in a tensor each or in one.
    func linear(
      _ name: String, _ block: String, _ parts: [String], _ rows: [Axis], fused: String,
      _ axis: Axis, bias: TensorRule.Presence?
    ) -> [TensorRule] {
      TensorRule.linear(
        "layer.#.\(name)", (isFused ? [fused] : parts).map { "layers.#.\(block).\($0)_proj" },
        rows: isFused ? [axis] : rows, .hidden, bias: bias)
    }
    func setting(_ key: String, isFollowed: Bool) -> [SettingKey] {
      isFollowed ? SettingKey.followed(key) : SettingKey.harmless(key)
    }
    let epsilonKey = hasLayerNorm ? "layer_norm_eps" : "rms_norm_eps"
    let place = hasOutputNorms ? "output_norm" : "norm"
    return CheckpointArchitecture(
      title: title, references: references, modelTypes: modelTypes,
      settings: CheckpointConfiguration.rotarySettings(rotary, epsilon: epsilonKey)
        + SlidingWindow.settings(window)
        + setting("attention_bias", isFollowed: attentionBias)
        + setting("mlp_bias", isFollowed: mlpBias)
        + (activationKey.map { SettingKey.followed($0) } ?? []),
      tokenizerClasses: Dictionary(
        uniqueKeysWithValues: tokenizerClass.map { name in modelTypes.map { ($0, name) } } ?? []),
      ignoresTokenizerClass: ignoresTokenizerClass,
      configuration: { (config) throws(VDSQError) in
        var configuration = try CheckpointConfiguration(
          rotaryDecoder: config, rotary: rotary, epsilon: (epsilonKey, epsilon),
          activation: activation, headSize: headSize)
        if let activationKey {
          configuration.architecture.activation = try config.activation(
            activationKey, default: configuration.architecture.activation)
        }
        if scalesEmbeddings {
          configuration.architecture.embeddingScale =
            Double(configuration.architecture.hiddenSize).squareRoot()
        }
        configuration.architecture.norm = hasLayerNorm ? .layerNorm : .rmsNorm
        if hasOutputNorms { configuration.architecture.normPlacement = .output }
        configuration.architecture.isGated = true
        configuration.architecture.slidingWindow = try SlidingWindow(
          config, layers: configuration.architecture.layers, window)
        return configuration
      },
      prefixes: ["model.", ""],
      embeddings: llamaEmbeddings,
      layer: norm(
        "layer.#.attention.\(place)",
        hasOutputNorms ? "layers.#.post_attention_layernorm" : "layers.#.input_layernorm")
        + linear(
          "attention.qkv", "self_attn", ["q", "k", "v"], [.queries, .keyValues, .keyValues],
          fused: "qkv", .fused, bias: queryBias ?? ofAttention)
        + (hasHeadNorms || hasOutputNorms ? norms : [])
        + TensorRule.linear(
          "layer.#.attention.output", ["layers.#.self_attn.o_proj"], rows: [.hidden], .queries,
          bias: ofAttention)
        + norm(
          "layer.#.feed_forward.\(place)",
          hasOutputNorms
            ? "layers.#.post_feedforward_layernorm" : "layers.#.post_attention_layernorm")
        + linear(
          "feed_forward.up", "mlp", ["gate", "up"], [.intermediate, .intermediate],
          fused: "gate_up", .gated, bias: ofNetwork)
        + TensorRule.linear(
          "layer.#.feed_forward.down", ["layers.#.mlp.down_proj"], rows: [.hidden], .intermediate,
          bias: ofNetwork),
      final: norm("final_norm", "norm"),
      head: LanguageModelHead(weight: "lm_head.weight", isTiedByDefault: isTiedByDefault),
      textHead: HeadNames(("score", .identity)), tokenHead: HeadNames(("score", .identity)),
      gguf: gguf)
  }

  /// The names of an architecture with the layers of Llama in GGUF files.
  ///
  /// - Parameters:
  ///   - name: the value of `general.architecture`, and of `model_type`.
  ///   - alternatingHeadSize: see `GGUFArchitecture`.
  ///   - isFused: whether queries, keys and values are one tensor, and the gate and the up
  ///     projection another.
  ///   - hasWindows: whether a sliding window applies to all layers.
  ///   - activation: the activation of the feed-forward network.
  static func llamaLikeGGUF(
    _ name: String, alternatingHeadSize: String? = nil, isFused: Bool = false,
    hasWindows: Bool = false, activation: ActivationFunction = .silu
  ) -> GGUFArchitecture {
    let projections =
      isFused
      ? ["attn_qkv": "self_attn.qkv_proj", "ffn_up": "mlp.gate_up_proj"]
      : [
        "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
      ]
    let others = [
      "attn_norm": "input_layernorm", "attn_output": "self_attn.o_proj",
      "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
      "ffn_norm": "post_attention_layernorm", "ffn_down": "mlp.down_proj",
    ]
    return GGUFArchitecture(
      name: name,
      tensors: [
        "token_embd.weight": "model.embed_tokens.weight",
        "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight",
      ],
      layerTensors: projections.merging(others) { first, _ in first }
        .mapValues { "model.layers.#.\($0)" },
      alternatingHeadSize: alternatingHeadSize, isRotary: true,
      config: { (m) throws(VDSQError) in
        try llamaLikeConfig(
          m, modelType: name, alternates: alternatingHeadSize != nil,
          hasWindows: hasWindows || alternatingHeadSize != nil, activation)
      })
  }

  /// A `config.json` of an architecture with the layers of Llama.
  ///
  /// - Parameter hasWindows: whether it is known which layers a sliding window applies to. The
  ///   result says all.
  static func llamaLikeConfig(
    _ m: GGUFMetadata, modelType: String, alternates: Bool, hasWindows: Bool,
    _ activation: ActivationFunction
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
    guard window >= longest || hasWindows else {
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
      ("vocab_size", .integer(try m.vocabulary())),
      ("hidden_act", .string(activation.name)),
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
