import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let nomicBERTKeys = RotaryEncoderKeys(
    headSize: "head_dim", tokenTypes: ("type_vocab_size", 2),
    rotary: RotaryKeys(defaultBase: 1000, isPartial: false))

  /// Nomic BERT (Nussbaum et al. 2024): BERT with rotary positions, a gate of SiLU and without
  /// biases of linear layers.
  static let nomicBERT = CheckpointArchitecture(
    title: "Nomic BERT", modelTypes: ["nomic_bert"], settings: nomicBERTKeys.settings,
    tokenizerClasses: ["nomic_bert": "BertTokenizer"],
    configuration: { (config) throws(VDSQError) in
      try CheckpointConfiguration(rotaryEncoder: config, nomicBERTKeys, activation: .silu)
    },
    prefixes: ["nomic_bert.", ""], embeddings: rotaryEmbeddings,
    layer: rotaryPostNormLayer(hasBiases: false),
    head: LanguageModelHead(
      dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.layer_norm",
      weight: "cls.predictions.decoder.weight",
      biases: ["cls.predictions.decoder.bias", "cls.predictions.bias"]),
    textHead: HeadNames(("nomic_bert.pooler.dense", .tanh), ("classifier", .identity)),
    tokenHead: HeadNames(("classifier", .identity)),
    gguf: nomicBERTGGUF, variants: [variant(ending: ".attn.Wqkv.weight", nomicBERTByCode)])

  /// The embeddings of encoders with rotary positions, by BERT's names.
  static let rotaryEmbeddings = bertEmbeddings.filter { $0.name != "embeddings.position" }
    .map { $0.name == "embeddings.token_type" ? $0.when(.filled(.tokenTypes)) : $0 }

  /// A post-norm layer with rotary positions and a gate, by transformers' names.
  static func rotaryPostNormLayer(hasBiases: Bool) -> [TensorRule] {
    let prefix = "layers.#."
    let bias: TensorRule.Presence? = hasBiases ? .required : nil
    return TensorRule.linear(
      "layer.#.attention.qkv", ["q", "k", "v"].map { "\(prefix)self_attn.\($0)_proj" },
      rows: [.queries, .keyValues, .keyValues], .hidden, bias: bias)
      + TensorRule.linear(
        "layer.#.attention.output", ["\(prefix)self_attn.o_proj"], rows: [.hidden], .queries,
        bias: bias)
      + TensorRule.norm("layer.#.attention.norm", "\(prefix)post_attention_layernorm")
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["\(prefix)mlp.gate_proj", "\(prefix)mlp.up_proj"],
        rows: [.intermediate, .intermediate], .hidden, bias: nil)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["\(prefix)mlp.down_proj"], rows: [.hidden], .intermediate,
        bias: bias)
      + TensorRule.norm("layer.#.feed_forward.norm", "\(prefix)post_mlp_layernorm")
  }

  private static let nomicBERTCodeKeys = RotaryEncoderKeys(
    hiddenSize: "n_embd", layers: "n_layer", heads: "n_head", intermediateSize: "n_inner",
    positions: "n_positions", activation: nil, epsilon: "layer_norm_epsilon",
    tokenTypes: ("type_vocab_size", 0),
    rotary: RotaryKeys(base: "rotary_emb_base", share: "rotary_emb_fraction"))

  /// The same by the names of the code that comes with Nomic's checkpoints.
  private static let nomicBERTByCode = CheckpointArchitecture(
    title: "Nomic BERT, by its code", modelTypes: ["nomic_bert"],
    settings: nomicBERTKeys.settings + nomicBERTCodeKeys.settings
      + SettingKey.followed(
        "activation_function", "rotary_scaling_factor", "max_trained_positions")
      + SettingKey.fixed("scale_attn_weights", .bool(true))
      + SettingKey.absent(
        "qkv_proj_bias", "mlp_fc1_bias", "mlp_fc2_bias", "prenorm", "causal", "use_rms_norm",
        "parallel_block", "parallel_block_tied_norm", "rotary_emb_interleaved",
        "rotary_emb_scale_base", "scale_attn_by_inverse_layer_idx", "num_experts",
        "num_shared_experts", "moe_every_n_layers", "ffn_div", "shared_kv")
      + SettingKey.harmless(
        "dense_seq_output", "fused_bias_fc", "fused_dropout_add_ln", "pad_vocab_size_multiple",
        "reorder_and_upcast_attn", "use_xentropy", "last_layer_subset", "n_ctx",
        "expert_choice_router", "moe_impl", "moe_normalize_expert_weights", "moe_resid_pdrop",
        "moe_top_k"),
    tokenizerClasses: ["nomic_bert": "BertTokenizer"],
    configuration: nomicBERTCodeConfiguration, prefixes: ["bert.", "nomic_bert.", ""],
    embeddings: rotaryEmbeddings.filter { !$0.name.hasPrefix("embeddings.norm") }
      + TensorRule.norm("embeddings.norm", "emb_ln", .embedding),
    layer: TensorRule.linear(
      "layer.#.attention.qkv", ["encoder.layers.#.attn.Wqkv"], rows: [.fused], .hidden, bias: nil)
      + TensorRule.linear(
        "layer.#.attention.output", ["encoder.layers.#.attn.out_proj"], rows: [.hidden], .queries,
        bias: nil)
      + TensorRule.norm("layer.#.attention.norm", "encoder.layers.#.norm1")
      + TensorRule.linear(
        "layer.#.feed_forward.up", ["encoder.layers.#.mlp.fc12", "encoder.layers.#.mlp.fc11"],
        rows: [.intermediate, .intermediate], .hidden, bias: nil)
      + TensorRule.linear(
        "layer.#.feed_forward.down", ["encoder.layers.#.mlp.fc2"], rows: [.hidden],
        .intermediate, bias: nil)
      + TensorRule.norm("layer.#.feed_forward.norm", "encoder.layers.#.norm2"),
    head: LanguageModelHead(
      dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.layer_norm",
      weight: "cls.predictions.decoder.weight",
      biases: ["cls.predictions.decoder.bias", "cls.predictions.bias"]),
    textHead: HeadNames(("bert.pooler.dense", .tanh), ("classifier", .identity)),
    tokenHead: HeadNames(("classifier", .identity)),
    code: [
      "NomicBertModel", "NomicBertForPreTraining", "NomicBertForSequenceClassification",
      "NomicBertForMaskedLM", "NomicBertForTokenClassification",
      "NomicBertForMultipleChoice", "NomicBertForQuestionAnswering",
    ])

  private static func nomicBERTCodeConfiguration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    // transformers writes its own configuration beside these names.
    guard config[nomicBERTCodeKeys.hiddenSize] != nil else {
      return try CheckpointConfiguration(
        rotaryEncoder: config, nomicBERTKeys, activation: .silu)
    }
    let name = config["activation_function"]?.text ?? "gelu"
    guard let gate = ["swiglu": ActivationFunction.silu, "geglu": .gelu][name] else {
      throw .badInput(
        "\(config.path): activation_function \(name) is not supported; supported: swiglu, geglu")
    }
    var configuration = try CheckpointConfiguration(
      rotaryEncoder: config, nomicBERTCodeKeys, activation: gate)
    try checkNames(config, configuration.architecture, activation: name)
    // The code makes the network's inner states a multiple of 256.
    let inner = configuration.architecture.intermediateSize
    configuration.architecture.intermediateSize = (inner + 255) / 256 * 256
    // transformers writes its own limit beside n_positions.
    configuration.architecture.maximumTokens = min(
      configuration.architecture.maximumTokens,
      try config.size("max_position_embeddings", 1 << 24, default: 1 << 24))
    // Longer texts than those of training would have other frequencies.
    if config["rotary_scaling_factor"] != nil {
      configuration.architecture.maximumTokens = min(
        configuration.architecture.maximumTokens,
        try config.size("max_trained_positions", 1 << 24, default: 2048))
    }
    return configuration
  }

  /// Refuses a configuration whose values by transformers' names contradict those by the code's.
  private static func checkNames(
    _ config: ConfigReader, _ c: Architecture, activation: String
  ) throws(VDSQError) {
    let hidden = config["hidden_act"]?.text
    guard hidden == nil || hidden == (activation == "swiglu" ? "silu" : "gelu") else {
      throw .badInput(
        "\(config.path): hidden_act \(hidden!) contradicts activation_function \(activation)")
    }
    let keys = nomicBERTCodeKeys
    for (name, code, value) in [
      ("hidden_size", keys.hiddenSize, Double(c.hiddenSize)),
      ("num_hidden_layers", keys.layers, Double(c.layers)),
      ("num_attention_heads", keys.heads, Double(c.heads)),
      ("head_dim", "\(keys.hiddenSize) / \(keys.heads)", Double(c.headSize)),
      ("intermediate_size", keys.intermediateSize, Double(c.intermediateSize)),
      ("layer_norm_eps", keys.epsilon, c.normEpsilon),
      (
        "rope_theta", keys.rotary.base,
        try config.number(keys.rotary.base) ?? keys.rotary.defaultBase
      ),
      ("partial_rotary_factor", keys.rotary.share, try config.number(keys.rotary.share) ?? 1),
    ] {
      guard let other = try config.number(name), other != value else { continue }
      throw .badInput(
        "\(config.path): \(name) \(config[name]!.brief) contradicts \(code); make them agree")
    }
  }

  private static let nomicBERTGGUF = GGUFArchitecture(
    name: "nomic-bert",
    tensors: [
      "token_embd.weight": "embeddings.word_embeddings.weight",
      "token_types.weight": "embeddings.token_type_embeddings.weight",
      "token_embd_norm.weight": "emb_ln.weight", "token_embd_norm.bias": "emb_ln.bias",
    ],
    layerTensors: [
      "attn_qkv": "encoder.layers.#.attn.Wqkv", "attn_output": "encoder.layers.#.attn.out_proj",
      "attn_output_norm": "encoder.layers.#.norm1", "ffn_up": "encoder.layers.#.mlp.fc11",
      "ffn_gate": "encoder.layers.#.mlp.fc12", "ffn_down": "encoder.layers.#.mlp.fc2",
      "layer_output_norm": "encoder.layers.#.norm2",
    ],
    isCausal: false, isRotary: true,
    config: { (m) throws(VDSQError) in
      let hidden = try m.size("embedding_length"), heads = try m.size("attention.head_count")
      try m.checkPlainHeads(of: hidden, heads)
      let longest = try m.size("context_length")
      return [
        ("model_type", .string("nomic_bert")), ("n_embd", .integer(hidden)),
        ("n_layer", .integer(try m.size("block_count"))), ("n_head", .integer(heads)),
        ("n_inner", .integer(try m.size("feed_forward_length"))),
        ("n_positions", .integer(longest)), ("activation_function", .string("swiglu")),
        ("type_vocab_size", .integer(m.file.tensors["token_types.weight"]?.rows ?? 0)),
        ("layer_norm_epsilon", .number(try m.number("attention.layer_norm_epsilon"))),
        ("vocab_size", .integer(try m.vocabulary())),
        (
          "rope_parameters",
          JSON(members: try RotaryKeys.parameters(m, longest: longest, share: 1))
        ),
      ]
    })
}
