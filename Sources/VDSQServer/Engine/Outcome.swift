/// What the model says about a text.
struct Outcome: Sendable {
  /// A label with its probability, and the cosine or the logit behind it.
  struct Candidate: Sendable {
    let label: String
    let probability: Float
    let score: Float
  }

  /// The labels of a text.
  struct Scores: Sendable {
    /// The most probable labels, best first.
    var candidates: [Candidate] = []
    /// The labels that reach their thresholds; nil if one label is right.
    var given: [String]?
    /// The state, if it was asked for.
    var state: [Float] = []
    /// What `TextStates` gave besides the state.
    var words: [Float]?
  }

  enum Value: Sendable {
    case vector([Float])
    case scores(Scores)
    /// The logit of a cross-encoder.
    case logit(Float)
  }

  /// Tokens, those that the model adds included.
  let tokens: Int
  let isTruncated: Bool
  /// Whether the text has nothing to read.
  let isBlank: Bool
  let value: Value
}
