import Glibc
package import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Linear discriminant analysis with the label anchors as prior of the class means, in closed form.
///
/// Classes are Gaussian with a shared covariance, which is shrunk towards a sphere. The prior
/// count, the shrinkage count, the scale of the logits and the intermediate features maximise the
/// likelihood of held-out examples. Training on a few examples takes milliseconds. docs/few-shot.md
/// has the formulas.
package struct LinearDiscriminant {
  /// The hyperparameters that cross-validation chooses.
  package struct Choice: Equatable {
    /// The number of examples that an anchor counts for.
    package var priorCount: Float
    /// The number of examples that a spherical covariance counts for.
    package var shrinkageCount: Float
    /// The factor of the logits: an inverse temperature.
    package var logitScale: Float

    /// The logarithm of the prior of a choice, up to a constant.
    package var logPrior: Double {
      typealias Constants = Hyperparameters.Discriminant
      return -Double(
        abs(log2f(priorCount / Constants.expectedPriorCount))
          + abs(log2f(shrinkageCount / Constants.expectedShrinkageCount)))
    }
  }

  /// The temperatures that logit scales are the inverses of.
  package static let temperatures = Hyperparameters.Discriminant.logitScales.map { 1 / $0 }

  package let arithmetic: MatrixArithmetic

  package init(_ arithmetic: MatrixArithmetic) { self.arithmetic = arithmetic }

  /// Trains with the hyperparameters and intermediate features that maximise held-out likelihood.
  ///
  /// - Parameter set: the examples with all intermediate features to try, pooled ones first.
  /// - Throws: `usage` if there are no examples, `internalFault` if states are not finite.
  package func select(
    _ set: TrainingSet, progress: ProgressSpan
  ) throws(VDSQError) -> SelectedDiscriminant {
    guard set.count > 0 else { throw .usage("there are no examples to learn from") }
    let members = set.spread(atMost: Hyperparameters.Discriminant.mostForChoosing)
    let features = set.features.layout.intermediateFeatures
    // The vector alone, with pooled intermediate layers, and with all features.
    let pooled = features.prefix { $0.tokens == .pooled }.count
    let steps = Set([pooled, features.count].filter { $0 > 0 }).sorted()
    var grid = DiscriminantGrid()
    let vector = set.prefix(features: 0)
    var (choice, score) = try choose(
      vector, members, grid, progress.part(0, of: steps.count + 1))
    var selected = SelectedDiscriminant(
      set: vector, members: members, choice: choice, featureScale: 1,
      arithmetic: arithmetic)
    for (i, count) in steps.enumerated() where score > -.infinity {
      let (balanced, scale) = set.prefix(features: count).balanced()
      grid = DiscriminantGrid(near: choice)
      let other = try choose(balanced, members, grid, progress.part(i + 1, of: steps.count + 1))
      guard other.score > score else { continue }
      (choice, score) = other
      selected = SelectedDiscriminant(
        set: balanced, members: members, choice: choice, featureScale: scale,
        arithmetic: arithmetic)
    }
    return selected
  }

  /// The hyperparameters that maximise held-out likelihood. If a label has too few examples to hold
  /// any out, fixed ones and a score of minus infinity.
  private func choose(
    _ set: TrainingSet, _ members: [Int], _ grid: DiscriminantGrid, _ progress: ProgressSpan
  ) throws(VDSQError) -> (choice: Choice, score: Double) {
    guard
      let validation = CrossValidation(
        targets: set.targets, labels: set.anchors.count, folds: Hyperparameters.folds,
        members: members)
    else {
      return (Hyperparameters.Discriminant.withoutFolds(examples: members.count), -.infinity)
    }
    var table = try validation.score(
      set.targets, labels: set.anchors.count, candidates: grid.count,
      .logits(temperatures: Self.temperatures, arithmetic.kernels), progress: progress
    ) { (fold, evaluate, progress) throws(VDSQError) in
      // With many examples, the expensive statistics do not depend on the prior count.
      let statistics =
        GaussianClasses.areFew(fold.training.count, set.columns)
        ? nil : set.statistics(of: fold.training, hasScatter: true, arithmetic)
      let prior = statistics.map { set.prior($0) }
      let heldOut = set.features.gathered(fold.heldOut)
      for (p, priorCount) in grid.priorCounts.enumerated() {
        let classes =
          if let statistics, let prior {
            try GaussianClasses(prior, statistics, priorCount: priorCount)
          } else { try GaussianClasses(set, fold.training, priorCount: priorCount, arithmetic) }
        for (s, shrinkageCount) in grid.shrinkageCounts.enumerated() {
          let head = try classes.linearHead(shrinkageCount: shrinkageCount, arithmetic)
          evaluate(
            p * grid.shrinkageCounts.count + s, outputs: head.logits(heldOut, arithmetic))
        }
        progress.advance(to: Double(p + 1) / Double(grid.priorCounts.count))
      }
    }
    table.addLogPrior { candidate, temperature in grid.choice(candidate, temperature).logPrior }
    let best = table.best
    return (grid.choice(best.candidate, best.temperature), best.score)
  }
}
