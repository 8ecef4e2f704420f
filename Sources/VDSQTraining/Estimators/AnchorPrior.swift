import Glibc
package import VDSQSemantics

/// The prior of class means that the label words are: the anchors, centred over the labels, at half
/// the root mean square length of the states, as far as the examples bear them out
/// (docs/few-shot.md, "Linear discriminant analysis with label anchors as prior").
package struct AnchorPrior {
  /// `[labels, dimensions]`: the prior means.
  package let means: [Float]
  /// How far each label's words are trusted, from -1 to 1 (`AnchorReliability`).
  package let trust: [Float]
  /// The factor of each label's prior count.
  private let sizes: [Float]

  /// - Parameters:
  ///   - statistics: those of the examples that judge the words.
  ///   - vectorColumns: the number of columns of the model's vector, which come first.
  package init(_ labels: LabelSet, _ statistics: ClassStatistics, vectorColumns: Int) {
    self.init(labels, meanSquare: statistics.meanSquare) { anchors in
      AnchorReliability(
        anchors: anchors, statistics, columns: vectorColumns,
        saysNothing: labels.labels.map(\.saysNothing)
      ).trust
    }
  }

  /// The prior of words that nothing judges.
  ///
  /// - Parameter meanSquare: the mean squared length of states.
  package init(_ labels: LabelSet, meanSquare: Float) {
    self.init(labels, meanSquare: meanSquare) { _ in
      labels.labels.map { $0.saysNothing ? 0 : 1 }
    }
  }

  private init(
    _ labels: LabelSet, meanSquare: Float, trust judge: (_ anchors: [Float]) -> [Float]
  ) {
    let d = labels.dimensions
    var anchors = labels.anchors
    for j in 0..<d {
      var mean: Float = 0
      for label in 0..<labels.count { mean += anchors[label * d + j] / Float(labels.count) }
      for label in 0..<labels.count { anchors[label * d + j] -= mean }
    }
    let square = anchors.reduce(0) { $0 + $1 * $1 } / Float(labels.count)
    let scale =
      square > 0
      ? Hyperparameters.Discriminant.anchorLength * (meanSquare / square).squareRoot() : 0
    for i in anchors.indices { anchors[i] *= scale }
    let trust = judge(anchors)
    // Words that the examples do not bear out count for fewer examples, and are shorter.
    sizes = trust.map { powf(abs($0), Hyperparameters.Reliability.exponent) }
    for label in 0..<labels.count {
      let factor = trust[label] < 0 ? -sizes[label] : sizes[label]
      for i in label * d..<(label + 1) * d { anchors[i] *= factor }
    }
    (means, self.trust) = (anchors, trust)
  }

  /// The number of examples that each label's prior mean counts for.
  ///
  /// - Parameter priorCount: the number under full trust.
  package func counts(_ priorCount: Float) -> [Float] {
    sizes.map { max(priorCount * $0, Hyperparameters.Reliability.leastPriorCount) }
  }
}
