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

  /// A label, by its words alone and as it was classified.
  public struct LabelScore: Sendable, Equatable {
    /// The label's name.
    public let label: String
    /// The cosine of the model's vector to the mean of the label's words, from -1 to 1.
    public let cosine: Float
    /// The probability by the label's words alone, without an adapter.
    public let probabilityByWords: Float
    /// The probability that the classifier gave.
    public let probability: Float
  }

  /// What the examples of an adapter changed.
  public struct Change: Sendable, Equatable {
    /// The label that examples pull the text to, and the one that they pull it away from; nil for
    /// an adapter that moves every text in the same way, whatever its label.
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

  /// What the text's state leans to, best first.
  public let text: [Leaning]
  /// What the label's words lean to.
  public let label: [Leaning]
  /// What both lean to.
  public let shared: [Leaning]
  /// Nil without an adapter, and where there is a single label.
  public let change: Change?
  /// All labels, the most probable first; never empty.
  public let labels: [LabelScore]
  /// Whether probabilities are those of an adapter, so that they differ from those by words.
  public let hasAdapter: Bool

  /// The label that the text got.
  public var best: LabelScore { labels[0] }
}
