import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// BERT (Devlin et al. 2018), and sentence encoders with its architecture.
  static let bert = CheckpointArchitecture(
    title: "BERT", references: ["transformers", "all-MiniLM-L6-v2"], modelTypes: ["bert"],
    settings: BERTKeys().settings,
    tokenizerClasses: ["bert": "BertTokenizer"],
    configuration: { (config) throws(VDSQError) in try BERTKeys().read(config) },
    prefixes: ["bert.", ""], embeddings: bertEmbeddings, layer: bertLayer,
    head: bertHead, textHead: bertTextHead, tokenHead: bertTokenHead,
    gguf: bertGGUF, variants: jinaBERTVariants)

  static let bertHead = LanguageModelHead(
    dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.LayerNorm",
    weight: "cls.predictions.decoder.weight",
    biases: ["cls.predictions.decoder.bias", "cls.predictions.bias"])
  static let bertTextHead = HeadNames(("bert.pooler.dense", .tanh), ("classifier", .identity))
  static let bertTokenHead = HeadNames(("classifier", .identity))

  static let bertGGUF = GGUFArchitecture(
    name: "bert",
    tensors: [
      "token_embd.weight": "embeddings.word_embeddings.weight",
      "position_embd.weight": "embeddings.position_embeddings.weight",
      "token_types.weight": "embeddings.token_type_embeddings.weight",
      "token_embd_norm.weight": "embeddings.LayerNorm.weight",
      "token_embd_norm.bias": "embeddings.LayerNorm.bias",
    ],
    layerTensors: [
      "attn_q": "encoder.layer.#.attention.self.query",
      "attn_k": "encoder.layer.#.attention.self.key",
      "attn_v": "encoder.layer.#.attention.self.value",
      "attn_output": "encoder.layer.#.attention.output.dense",
      "attn_output_norm": "encoder.layer.#.attention.output.LayerNorm",
      "ffn_up": "encoder.layer.#.intermediate.dense", "ffn_down": "encoder.layer.#.output.dense",
      "layer_output_norm": "encoder.layer.#.output.LayerNorm",
    ],
    isCausal: false,
    config: { (m) throws(VDSQError) in
      guard let types = m.file.tensors["token_types.weight"] else {
        throw .badInput("\(m.file.file.path): tensor token_types.weight is missing")
      }
      let hidden = try m.size("embedding_length"), heads = try m.size("attention.head_count")
      try m.checkPlainHeads(of: hidden, heads)
      return [
        ("model_type", .string("bert")), ("hidden_size", .integer(hidden)),
        ("num_hidden_layers", .integer(try m.size("block_count"))),
        ("num_attention_heads", .integer(heads)),
        ("intermediate_size", .integer(try m.size("feed_forward_length"))),
        ("max_position_embeddings", .integer(try m.size("context_length"))),
        ("type_vocab_size", .integer(types.rows)),
        ("layer_norm_eps", .number(try m.number("attention.layer_norm_epsilon"))),
        ("vocab_size", .integer(try m.vocabulary())), ("hidden_act", .string("gelu")),
      ]
    })

  /// The embeddings of BERT and of architectures with the same names.
  static let bertEmbeddings =
    [
      TensorRule(
        "embeddings.word", ["embeddings.word_embeddings.weight"], .wordTable,
        [.vocabulary, .embedding]),
      TensorRule(
        "embeddings.position", ["embeddings.position_embeddings.weight"], .positionTable,
        [.positions, .embedding]),
      TensorRule(
        "embeddings.token_type", ["embeddings.token_type_embeddings.weight"], .vector,
        [.tokenTypes, .embedding]),
    ] + TensorRule.norm("embeddings.norm", "embeddings.LayerNorm", .embedding)

  /// The layers of BERT and of architectures with the same names.
  static let bertLayer = encoderLayer(
    prefix: "encoder.layer.#.", query: "attention.self.query", key: "attention.self.key",
    value: "attention.self.value", output: "attention.output.dense",
    attentionNorm: "attention.output.LayerNorm", up: "intermediate.dense", down: "output.dense",
    outputNorm: "output.LayerNorm")

  /// The layer of a post-norm encoder, by the names of its tensors.
  static func encoderLayer(
    prefix: String, query: String, key: String, value: String, output: String,
    attentionNorm: String, up: String, down: String, outputNorm: String
  ) -> [TensorRule] {
    func linear(_ name: String, _ sources: [String], _ rows: Axis, _ columns: Axis) -> [TensorRule]
    {
      TensorRule.linear(
        "layer.#.\(name)", sources.map { prefix + $0 }, rows: sources.map { _ in rows }, columns)
    }
    return linear("attention.qkv", [query, key, value], .hidden, .hidden)
      + linear("attention.output", [output], .hidden, .hidden)
      + TensorRule.norm("layer.#.attention.norm", prefix + attentionNorm)
      + linear("feed_forward.up", [up], .intermediate, .hidden)
      + linear("feed_forward.down", [down], .hidden, .intermediate)
      + TensorRule.norm("layer.#.feed_forward.norm", prefix + outputNorm)
  }
}
