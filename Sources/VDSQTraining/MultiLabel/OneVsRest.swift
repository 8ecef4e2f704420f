package import VDSQFormat
package import VDSQSemantics

/// Classifiers that give each text any number of labels: one of each label against all other texts.
///
/// Each is a mixture of linear discriminant analysis with the label's anchor as prior and logistic
/// regression, calibrated by a sigmoid. The mixture, the sigmoid and the threshold from which the
/// label is given are chosen by held-out texts. docs/few-shot.md has the formulas.
package struct OneVsRest {
  private typealias Constants = Hyperparameters.Stacking

  package let features: FeatureMatrix
  /// Whether each text has a label, `[labels][texts]`.
  package let has: [[Bool]]
  package let anchors: LabelSet
  package let arithmetic: MatrixArithmetic

  /// - Precondition: a row for each text, and a list for each label.
  package init(
    features: FeatureMatrix, has: [[Bool]], anchors: LabelSet, arithmetic: MatrixArithmetic
  ) {
    precondition(has.count == anchors.count && has.allSatisfy { $0.count == features.rows })
    (self.features, self.has, self.anchors) = (features, has, anchors)
    self.arithmetic = arithmetic
  }

  /// A label's linear classifier: `sigmoid(weights . state + bias)`.
  private struct Member {
    var weights: [Float]
    var bias: Float
    var threshold: Float = 0.5
  }

  /// Trains all classifiers.
  ///
  /// - Throws: `badInput` if no text has a label; `internalFault` if states are not finite.
  package func train(
    modelIdentity: UInt32, progress: ProgressSpan
  ) throws(VDSQError) -> Adapter {
    var (weights, bias, thresholds): ([Float], [Float], [Float]) = ([], [], [])
    for label in has.indices {
      guard has[label].contains(true) else {
        throw .badInput("no text has the label \(anchors.names[label]); add one, or leave it out")
      }
      let member = try member(label)
      weights += member.weights
      bias.append(member.bias)
      thresholds.append(member.threshold)
      progress.advance(to: Double(label + 1) / Double(has.count))
    }
    return Adapter(
      labels: anchors, head: .linear(LinearHead(weights: weights, bias: bias)),
      thresholds: thresholds, modelIdentity: modelIdentity)
  }

  private func member(_ label: Int) throws(VDSQError) -> Member {
    // The label is 0, all else 1.
    let targets = has[label].map { $0 ? 0 : 1 }
    let set = TrainingSet(features, targets: targets, anchors: pair(label))
    let discriminant = try LinearDiscriminant(arithmetic).select(set, progress: .silent)
    let all = Array(targets.indices)
    let own = Self.difference(try discriminant.head())
    guard
      let validation = CrossValidation(targets: targets, labels: 2, folds: Hyperparameters.folds),
      targets.contains(1)
    else { return own }
    let strengths = Constants.strengths
    let heldOut = try validation.predictions(
      targets, labels: 2, candidates: 1 + strengths.count
    ) { (fold, evaluate, _) throws(VDSQError) in
      let states = features.gathered(fold.heldOut)
      evaluate(0, outputs: try discriminant.head(fold.training).logits(states, arithmetic))
      var start: LinearHead?
      for (i, strength) in strengths.enumerated() {
        let head = regression(set, fold.training, strength).train(from: start)
        start = head
        evaluate(1 + i, outputs: head.logits(states, arithmetic))
      }
    }
    let scores = heldOut.candidates.map { logits in
      stride(from: 0, to: logits.count, by: 2).map { logits[$0] - logits[$0 + 1] }
    }
    let isOwn = heldOut.targets.map { $0 == 0 }
    var best: (share: Float, strength: Int, scores: [Float], sigmoid: SigmoidCalibration)?
    for strength in strengths.indices {
      for share in Constants.shares where share > 0 || strength == 0 {
        let mixed = zip(scores[0], scores[1 + strength]).map { (1 - share) * $0 + share * $1 }
        let sigmoid = SigmoidCalibration(mixed, isOwn)
        if best.map({ sigmoid.logLikelihood > $0.sigmoid.logLikelihood }) ?? true {
          best = (share, strength, mixed, sigmoid)
        }
      }
    }
    let choice = best!
    var member = own
    if choice.share > 0 {
      var head: LinearHead?
      for strength in strengths[...choice.strength] {
        head = regression(set, all, strength).train(from: head)
      }
      let other = Self.difference(head!)
      member.weights = zip(own.weights, other.weights).map {
        (1 - choice.share) * $0 + choice.share * $1
      }
      member.bias = (1 - choice.share) * own.bias + choice.share * other.bias
    }
    let (slope, offset) = (Float(choice.sigmoid.slope), Float(choice.sigmoid.offset))
    member.weights = member.weights.map { $0 * slope }
    member.bias = member.bias * slope + offset
    member.threshold = Float(
      F1Threshold.best(choice.scores.map(choice.sigmoid.probability), isOwn))
    return member
  }

  /// The anchor of a label, and the mean of all others.
  private func pair(_ label: Int) -> LabelSet {
    let d = anchors.dimensions
    var both = Array(anchors.anchors[label * d..<(label + 1) * d])
    for j in 0..<d {
      let sum = anchors.names.indices.reduce(Float(0)) {
        $0 + ($1 == label ? 0 : anchors.anchors[$1 * d + j])
      }
      both.append(sum / Float(max(1, anchors.count - 1)))
    }
    return LabelSet(
      names: [anchors.names[label], ""], dimensions: d, anchors: both, outOfScope: 1,
      words: [anchors.words[label], []])
  }

  private func regression(
    _ set: TrainingSet, _ members: [Int], _ strength: Float
  ) -> LogisticRegression {
    LogisticRegression(set: set, members: members, strength: strength, arithmetic: arithmetic)
  }

  /// The logit of the first of two labels against the second.
  private static func difference(_ head: LinearHead) -> Member {
    let d = head.weights.count / 2
    return Member(
      weights: (0..<d).map { head.weights[$0] - head.weights[d + $0] },
      bias: head.bias[0] - head.bias[1])
  }
}
