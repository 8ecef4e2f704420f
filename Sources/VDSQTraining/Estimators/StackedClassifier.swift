package import VDSQFormat
package import VDSQSemantics

/// Linear discriminant analysis stacked with logistic regression and kernel ridge regression
/// (Wolpert 1992).
///
/// Class means with a shared covariance need few examples. Logistic regression makes no assumption
/// about the shape of classes. Kernel ridge regression does not need linear separability. The first
/// two are linear, and so is their mixture. The weights of the mixture maximise held-out
/// likelihood. docs/few-shot.md has the formulas.
package struct StackedClassifier {
  private typealias Constants = Hyperparameters.Stacking

  /// The chosen mixture.
  package struct Choice {
    /// The strength of logistic regression, and its share of the linear logits.
    package var strength: Float = 0
    package var share: Float = 0
    /// The factor of the linear logits.
    package var linearScale: Float = 1
    /// The penalty of kernel ridge regression, and the factor of its outputs; 0 leaves it out.
    package var penalty: Float = 0
    package var ridgeScale: Float = 0
  }

  package let discriminant: SelectedDiscriminant
  private let validation: CrossValidation

  private var set: TrainingSet { discriminant.set }
  private var arithmetic: MatrixArithmetic { discriminant.arithmetic }
  private var ridge: KernelRidge { KernelRidge(set: set, arithmetic: arithmetic) }

  /// Returns nil if there are too few examples.
  package init?(_ discriminant: SelectedDiscriminant) {
    let set = discriminant.set
    guard set.count >= Constants.examplesPerLabel * set.anchors.count,
      let validation = CrossValidation(
        targets: set.targets, labels: set.anchors.count, folds: Hyperparameters.folds,
        members: discriminant.members)
    else { return nil }
    self.discriminant = discriminant
    self.validation = validation
  }

  /// Chooses the mixture by held-out likelihood, and trains it on all examples.
  ///
  /// - Throws: `internalFault` if states are not finite.
  ///
  /// - Parameter own: the discriminant, trained on all examples.
  package func train(own: LinearHead, progress: ProgressSpan) throws(VDSQError) -> (
    linear: LinearHead, votes: RBFVotes?
  ) {
    // The mean of the folds' heads, for each strength.
    var starts: [LinearHead?] = Constants.strengths.map { _ in nil }
    let choice = choose(try heldOutLogits(&starts, progress))
    let all = Array(set.targets.indices)
    var other = own
    if choice.share > 0, let i = Constants.strengths.firstIndex(of: choice.strength) {
      other = regression(all, choice.strength).train(from: starts[i])
    }
    func mixed(_ a: [Float], _ b: [Float]) -> [Float] {
      zip(a, b).map { ((1 - choice.share) * $0 + choice.share * $1) * choice.linearScale }
    }
    let head = LinearHead(
      weights: mixed(own.weights, other.weights), bias: mixed(own.bias, other.bias))
    guard choice.ridgeScale > 0 else { return (head, nil) }
    let votes = try ridge.train(all, penalties: [choice.penalty])[0]
    return (head, votes.scaled(by: choice.ridgeScale))
  }

  /// The logits of the models for held-out examples: the discriminant, logistic regression for each
  /// strength, and kernel ridge regression for each penalty.
  ///
  /// - Parameter means: receives the mean of the folds' heads of logistic regression.
  private func heldOutLogits(
    _ means: inout [LinearHead?], _ progress: ProgressSpan
  ) throws(VDSQError) -> HeldOutLogits {
    let penalties = Hyperparameters.Ridge.penalties
    let strengths = Constants.strengths
    return try validation.predictions(
      set.targets, labels: set.anchors.count, candidates: 1 + strengths.count + penalties.count,
      progress: progress
    ) { (fold, evaluate, progress) throws(VDSQError) in
      let heldOut = set.features.gathered(fold.heldOut)
      evaluate(
        0, outputs: try discriminant.head(fold.training).logits(heldOut, arithmetic))
      var start: LinearHead?
      for (i, strength) in strengths.enumerated() {
        let head = regression(fold.training, strength).train(from: start)
        start = head
        means[i] = LinearHead.sum(means[i], head, times: 1 / Float(validation.folds.count))
        evaluate(1 + i, outputs: head.logits(heldOut, arithmetic))
      }
      progress.advance(to: 0.5)
      let heads = try ridge.train(fold.training, penalties: penalties)
      for (i, votes) in ridge.votes(of: heads, for: fold.heldOut).enumerated() {
        evaluate(1 + strengths.count + i, outputs: votes)
      }
    }
  }

  private func choose(_ heldOut: HeldOutLogits) -> Choice {
    let kernels = arithmetic.kernels
    let discriminant = heldOut.candidates[0]
    var choice = Choice()
    var (best, linear) = (-Double.infinity, discriminant)
    for (i, strength) in Constants.strengths.enumerated() {
      let regression = heldOut.candidates[1 + i]
      for share in Constants.shares {
        for scale in Constants.logitScales {
          let score = heldOut.logLikelihood(
            (1 - share) * scale, discriminant, share * scale, regression, kernels)
          guard score > best else { continue }
          best = score
          (choice.strength, choice.share, choice.linearScale) = (strength, share, scale)
          linear = HeldOutLogits.mixture(
            (1 - share) * scale, discriminant, share * scale, regression)
        }
      }
    }
    let whole = choice.linearScale
    for (i, penalty) in Hyperparameters.Ridge.penalties.enumerated() {
      let ridge = heldOut.candidates[1 + Constants.strengths.count + i]
      for linearScale in Constants.linearScales {
        for ridgeScale in Constants.ridgeScales {
          let score = heldOut.logLikelihood(linearScale, linear, ridgeScale, ridge, kernels)
          guard score > best + (choice.ridgeScale > 0 ? 0 : Constants.leastGain) else { continue }
          best = score
          (choice.linearScale, choice.penalty, choice.ridgeScale) = (
            whole * linearScale, penalty, ridgeScale
          )
        }
      }
    }
    return choice
  }

  private func regression(_ training: [Int], _ strength: Float) -> LogisticRegression {
    var regression = LogisticRegression(
      set: set, members: training, strength: strength, arithmetic: arithmetic)
    regression.lossTolerance = Constants.lossTolerance
    return regression
  }
}
