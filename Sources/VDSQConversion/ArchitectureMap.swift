import VDSQCheckpoints
import VDSQFormat

/// An encoder architecture's names, as a table: `config.json` keys and checkpoint tensors.
struct ArchitectureMap: Sendable {
  /// `model_type` in config.json.
  let modelTypes: [String]
  /// What may stand before every tensor's name, the most specific first.
  let prefixes: [String]
  var keys = Keys()
  let embeddings: [TensorRule]
  let layer: [TensorRule]
  let head: Head
  /// Whether positions are counted from the padding token's id plus one.
  var offsetsPositions = false

  /// The configuration's keys.
  struct Keys: Sendable {
    var hiddenSize = "hidden_size"
    var layers = "num_hidden_layers"
    var heads = "num_attention_heads"
    var intermediateSize = "intermediate_size"
    var activation = "hidden_act"
    /// Nil where the architecture has one token type only.
    var tokenTypes: String? = "type_vocab_size"
    /// Nil where the architecture fixes it.
    var layerNormEpsilon: String? = "layer_norm_eps"
    /// Nil where it is the hidden size.
    var embeddingSize: String?
  }

  /// The masked language model's head, whose names have no prefix.
  struct Head: Sendable {
    /// What a state goes through before the vocabulary.
    let transform: [TensorRule]
    /// Rows of the vocabulary where they are not the word embeddings.
    let weight: String
    /// Names that the bias may have.
    let biases: [String]
    /// The transformation's activation; nil for the encoder's.
    var activation: ActivationFunction?

    init(
      dense: String, norm: String, weight: String, biases: [String],
      activation: ActivationFunction? = nil
    ) {
      transform =
        TensorRule.linear("head.transform", [dense], rows: [.embedding], .hidden)
        + TensorRule.norm("head.norm", norm, .embedding)
      self.weight = weight
      self.biases = biases
      self.activation = activation
    }
  }

  static let all = [bert, distilBERT, roberta, electra]

  static let bert = ArchitectureMap(
    modelTypes: ["bert"], prefixes: ["bert.", ""], embeddings: embeddings, layer: bertLayer,
    head: Head(
      dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.LayerNorm",
      weight: "cls.predictions.decoder.weight",
      biases: ["cls.predictions.decoder.bias", "cls.predictions.bias"]))

  static let roberta = ArchitectureMap(
    modelTypes: ["roberta", "xlm-roberta", "camembert"], prefixes: ["roberta.", ""],
    embeddings: embeddings, layer: bertLayer,
    head: Head(
      dense: "lm_head.dense", norm: "lm_head.layer_norm", weight: "lm_head.decoder.weight",
      biases: ["lm_head.decoder.bias", "lm_head.bias"], activation: .gelu),
    offsetsPositions: true)

  static let electra = ArchitectureMap(
    modelTypes: ["electra"], prefixes: ["electra.", ""],
    keys: Keys(embeddingSize: "embedding_size"),
    embeddings: embeddings
      + TensorRule.linear(
        "embeddings.projection", ["embeddings_project"], rows: [.hidden], .embedding
      ).map(\.optional),
    layer: bertLayer,
    head: Head(
      dense: "generator_predictions.dense", norm: "generator_predictions.LayerNorm",
      weight: "generator_lm_head.weight", biases: ["generator_lm_head.bias"], activation: .gelu))

  static let distilBERT = ArchitectureMap(
    modelTypes: ["distilbert"], prefixes: ["distilbert.", ""],
    keys: Keys(
      hiddenSize: "dim", layers: "n_layers", heads: "n_heads", intermediateSize: "hidden_dim",
      activation: "activation", tokenTypes: nil, layerNormEpsilon: nil),
    embeddings: embeddings.filter { $0.name != "embeddings.token_type" },
    layer: layer(
      prefix: "transformer.layer.#.", query: "attention.q_lin", key: "attention.k_lin",
      value: "attention.v_lin", output: "attention.out_lin", attentionNorm: "sa_layer_norm",
      up: "ffn.lin1", down: "ffn.lin2", outputNorm: "output_layer_norm"),
    head: Head(
      dense: "vocab_transform", norm: "vocab_layer_norm", weight: "vocab_projector.weight",
      biases: ["vocab_projector.bias"]))

  private static let embeddings =
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

  private static let bertLayer = layer(
    prefix: "encoder.layer.#.", query: "attention.self.query", key: "attention.self.key",
    value: "attention.self.value", output: "attention.output.dense",
    attentionNorm: "attention.output.LayerNorm", up: "intermediate.dense", down: "output.dense",
    outputNorm: "output.LayerNorm")

  private static func layer(
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
