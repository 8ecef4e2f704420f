/// The answer of a classifier for one text.
public struct Prediction: Sendable, Equatable {
  /// A label with its probability.
  public struct Candidate: Sendable, Equatable {
    /// The label's name.
    public let label: String
    /// The label's index in `TextClassifier.labels`.
    public let index: Int
    /// From 0 to 1; the probabilities of all labels sum to 1 unless each label is right or wrong by
    /// itself. The value itself if the model's own head was trained for regression.
    public let probability: Float
    /// The cosine of the text's state to the label's anchor, from -1 to 1; the logit of a model's
    /// own head.
    public let cosine: Float
  }

  /// The most probable labels, best first: as many as were asked for, and at least one.
  public let candidates: [Candidate]
  /// The names of the text's labels: of the most probable one, or, with an adapter that gives a
  /// text any number of labels, of all whose probabilities reach their thresholds, best first.
  public let labels: [String]
  /// The number of tokens of the text, including those that the model adds.
  public let tokens: Int
  /// Whether the text was truncated to the longest sequence.
  public let isTruncated: Bool
  /// Whether the text has nothing to read, such as an empty one. All labels are equally probable
  /// then.
  public let isBlank: Bool

  /// The most probable label.
  public var label: String { candidates[0].label }
  /// The probability of the most probable label.
  public var probability: Float { candidates[0].probability }
}
