/// Why a text got its label.
package struct Explanation: Sendable {
  /// A word or token of the vocabulary that a vector is similar to.
  package struct Leaning: Sendable, Equatable {
    /// The token's text.
    package let token: String
    /// The cosine of the vector to the token's basis, from -1 to 1; in `shared` the smaller one of
    /// the text's and the label's, and in `away` that of the opposite direction.
    package let cosine: Float
  }

  /// A label with its zero-shot probability and its probability from the classifier.
  package struct LabelScore: Sendable, Equatable {
    /// The label's name.
    package let label: String
    /// The cosine of the model's vector to the mean of the label's words, from -1 to 1.
    package let cosine: Float
    /// The probability by the label's words alone, without an adapter.
    package let probabilityByWords: Float
    /// The probability from the classifier.
    package let probability: Float
  }

  /// What the examples of an adapter changed.
  package struct Change: Sendable, Equatable {
    /// The label towards which examples move the text, and the label away from which they move it;
    /// nil for an adapter that moves every text in the same way, whatever its label.
    package let labels: Labels?
    /// What the direction of the pull leans to, best first.
    package let toward: [Leaning]
    /// What the opposite direction leans to, best first.
    package let away: [Leaning]

    /// Two labels.
    package struct Labels: Sendable, Equatable {
      /// The label that the text got.
      package let toward: String
      /// The label that it would have got by words alone, or the second best one.
      package let away: String
    }
  }

  /// The tokens closest to the state of the text, best first.
  package let text: [Leaning]
  /// The tokens closest to the anchor of the label.
  package let label: [Leaning]
  /// The tokens close to both.
  package let shared: [Leaning]
  /// Nil without an adapter, and if there is a single label.
  package let change: Change?
  /// All labels, the most probable first; never empty.
  package let labels: [LabelScore]
  /// Whether probabilities come from an adapter, so that they differ from the zero-shot ones.
  package let hasAdapter: Bool

  /// The label that the text got.
  package var best: LabelScore { labels[0] }
}
