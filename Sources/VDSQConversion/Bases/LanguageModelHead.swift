import VDSQFormat

/// The part of a language model that predicts tokens. Its names have no prefix.
struct LanguageModelHead: Sendable {
  /// The transformation of a state before the vocabulary, in a masked language model.
  var transform: [TensorRule] = []
  /// The activation of the transformation; nil for that of the layers.
  var activation: ActivationFunction?
  /// The name of the vocabulary's rows if they are not the word embeddings.
  let weight: String
  /// Possible names of the bias.
  var biases: [String] = []
  /// Whether the rows are the word embeddings if `tie_word_embeddings` is absent.
  var isTiedByDefault = true

  /// The names of its tensors in checkpoints.
  var names: [String] { transform.flatMap(\.sources) + [weight] + biases }

  /// The head of a causal language model: rows of the vocabulary.
  init(weight: String, biases: [String] = [], isTiedByDefault: Bool = false) {
    self.weight = weight
    self.biases = biases
    self.isTiedByDefault = isTiedByDefault
  }

  /// The head of a masked language model: a linear layer, an activation, a norm, and rows of the
  /// vocabulary with a bias.
  init(
    dense: String, norm: String, weight: String, biases: [String],
    activation: ActivationFunction? = nil, denseBias: TensorRule.Presence = .required,
    normBias: TensorRule.Presence = .required
  ) {
    transform =
      TensorRule.linear(
        "head.transform", [dense], rows: [.embedding], .hidden, bias: denseBias)
      + TensorRule.norm("head.norm", norm, .embedding, bias: normBias)
    self.activation = activation
    self.weight = weight
    self.biases = biases
  }
}
