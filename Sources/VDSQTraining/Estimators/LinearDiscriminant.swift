import Glibc
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

/// Linear discriminant analysis with the label anchors as prior of the class means, in closed form.
///
/// Classes are Gaussian with a shared covariance, which is shrunk towards a sphere. How many
/// examples the anchors and the sphere are worth, the scale of the logits, and which intermediate
/// features are read, is what gives held-out examples the highest likelihood. Takes milliseconds
/// for a few examples; none at all would be zero-shot.
struct LinearDiscriminant {
  /// What cross-validation chooses.
  struct Choice: Equatable {
    /// How many examples an anchor is worth.
    var priorCount: Float
    /// How many examples a spherical covariance is worth.
    var shrinkageCount: Float
    /// What logits are multiplied by: an inverse temperature.
    var logitScale: Float

    /// The logarithm of how likely a choice is before any example is held out, up to a constant.
    var logPrior: Double {
      typealias Constants = Hyperparameters.Discriminant
      return -Double(
        abs(log2f(priorCount / Constants.expectedPriorCount))
          + abs(log2f(shrinkageCount / Constants.expectedShrinkageCount)))
    }
  }

  /// The temperatures that logit scales are the inverses of.
  static let temperatures = Hyperparameters.Discriminant.logitScales.map { 1 / $0 }

  let kernels: KernelTable

  /// Trains with hyperparameters and intermediate features that held-out examples choose.
  ///
  /// - Parameter set: states of all intermediate features that are to be tried, pooled ones first.
  /// - Throws: `usage` where there are no examples, `internalFault` where states are not finite.
  func select(
    _ set: TrainingSet, progress: ProgressSpan
  ) throws(VDSQError) -> SelectedDiscriminant {
    guard set.count > 0 else { throw .usage("there are no examples to learn from") }
    let members = set.spread(atMost: Hyperparameters.Discriminant.mostForChoosing)
    let features = set.features.layout.intermediateFeatures
    // The vector alone, with what is pooled of intermediate layers, and with everything.
    let pooled = features.prefix { $0.tokens == .pooled }.count
    let steps = Set([pooled, features.count].filter { $0 > 0 }).sorted()
    var grid = DiscriminantGrid()
    let vector = set.prefix(features: 0)
    var (choice, score) = try choose(
      vector, members, grid, progress.part(0, of: steps.count + 1))
    var selected = SelectedDiscriminant(
      set: vector, members: members, choice: choice, featureScale: 1, kernels: kernels)
    for (i, count) in steps.enumerated() where score > -.infinity {
      let (balanced, scale) = set.prefix(features: count).balanced()
      grid = DiscriminantGrid(near: choice)
      let other = try choose(balanced, members, grid, progress.part(i + 1, of: steps.count + 1))
      guard other.score > score else { continue }
      (choice, score) = other
      selected = SelectedDiscriminant(
        set: balanced, members: members, choice: choice, featureScale: scale, kernels: kernels)
    }
    return selected
  }

  /// The hyperparameters under which held-out examples are most likely; fixed ones, and a score of
  /// minus infinity, where some label has too few examples to hold any out.
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
      .logits(temperatures: Self.temperatures), progress: progress
    ) { (fold, evaluate, progress) throws(VDSQError) in
      // Where there are many examples, what takes time does not depend on the prior count.
      let statistics =
        fold.training.count < set.columns
        ? nil : set.statistics(of: fold.training, hasScatter: true, kernels)
      for (p, priorCount) in grid.priorCounts.enumerated() {
        let classes =
          if let statistics {
            try GaussianClasses(set.anchors, statistics, priorCount: priorCount, kernels)
          } else { try GaussianClasses(set, fold.training, priorCount: priorCount, kernels) }
        for (s, shrinkageCount) in grid.shrinkageCounts.enumerated() {
          let head = try classes.linearHead(shrinkageCount: shrinkageCount, kernels)
          try evaluate(p * grid.shrinkageCounts.count + s) { example, logits in
            set.features.withRow(example) { head.logits($0, kernels, into: &logits) }
          }
        }
        progress.advance(to: Double(p + 1) / Double(grid.priorCounts.count))
      }
    }
    table.addLogPrior { candidate, temperature in grid.choice(candidate, temperature).logPrior }
    let best = table.best
    return (grid.choice(best.candidate, best.temperature), best.score)
  }
}
