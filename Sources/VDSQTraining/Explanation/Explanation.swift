/// Why a text got its label.
public struct Explanation: Sendable {
  /// A word or token of the vocabulary that a vector is similar to.
  public struct Leaning: Sendable, Equatable {
    /// The token's text.
    public let token: String
    /// The cosine of the vector to the token's basis, from -1 to 1; in `shared` the smaller one of
    /// the text's and the label's, and in `away` that of the opposite direction.
    public let cosine: Float
  }

  /// A label with its zero-shot probability and its probability from the classifier.
  public struct LabelScore: Sendable, Equatable {
    /// The label's name.
    public let label: String
    /// The cosine of the model's vector to the mean of the label's words, from -1 to 1.
    public let cosine: Float
    /// The probability by the label's words alone, without an adapter.
    public let probabilityByWords: Float
    /// The probability from the classifier.
    public let probability: Float
  }

  /// What the examples of an adapter changed.
  public struct Change: Sendable, Equatable {
    /// The label towards which examples move the text, and the label away from which they move it;
    /// nil for an adapter that moves every text in the same way, whatever its label.
    public let labels: Labels?
    /// What the direction of the pull leans to, best first.
    public let toward: [Leaning]
    /// What the opposite direction leans to, best first.
    public let away: [Leaning]

    /// Two labels.
    public struct Labels: Sendable, Equatable {
      /// The label that the text got.
      public let toward: String
      /// The label that it would have got by words alone, or the second best one.
      public let away: String
    }
  }

  /// The tokens closest to the state of the text, best first.
  public let text: [Leaning]
  /// The tokens closest to the anchor of the label.
  public let label: [Leaning]
  /// The tokens close to both.
  public let shared: [Leaning]
  /// Nil without an adapter, and if there is a single label.
  public let change: Change?
  /// All labels, the most probable first; never empty.
  public let labels: [LabelScore]
  /// Whether probabilities come from an adapter, so that they differ from the zero-shot ones.
  public let hasAdapter: Bool

  /// The label that the text got.
  public var best: LabelScore { labels[0] }
}
