/// The hyperparameters of linear discriminant analysis that are tried: a candidate for each prior
/// count and, within it, each shrinkage count; and each candidate at every logit scale.
struct DiscriminantGrid {
  private typealias Constants = Hyperparameters.Discriminant

  let priorCounts: [Float]
  let shrinkageCounts: [Float]

  /// All of them.
  init() {
    self.init(
      priorCounts: Constants.priorCounts, shrinkageCounts: Constants.shrinkageCounts)
  }

  init(priorCounts: [Float], shrinkageCounts: [Float]) {
    self.priorCounts = priorCounts
    self.shrinkageCounts = shrinkageCounts
  }

  /// The grid with intermediate features: values near the choice without them.
  init(near choice: LinearDiscriminant.Choice) {
    let more = min(
      Constants.featurePriorCountFactor * choice.priorCount, Constants.mostFeaturePriorCount)
    self.init(
      priorCounts: [choice.priorCount, more],
      shrinkageCounts: Constants.featureShrinkageCounts)
  }

  /// Candidates.
  var count: Int { priorCounts.count * shrinkageCounts.count }

  /// - Parameter scale: the index of a logit scale.
  func choice(_ candidate: Int, _ scale: Int) -> LinearDiscriminant.Choice {
    LinearDiscriminant.Choice(
      priorCount: priorCounts[candidate / shrinkageCounts.count],
      shrinkageCount: shrinkageCounts[candidate % shrinkageCounts.count],
      logitScale: Constants.logitScales[scale])
  }
}
