/// The hyperparameters of linear discriminant analysis that are tried: a candidate for each prior
/// count and, within it, each shrinkage count; and each candidate at every logit scale.
package struct DiscriminantGrid {
  private typealias Constants = Hyperparameters.Discriminant

  package let priorCounts: [Float]
  package let shrinkageCounts: [Float]

  /// All of them.
  package init() {
    self.init(
      priorCounts: Constants.priorCounts, shrinkageCounts: Constants.shrinkageCounts)
  }

  package init(priorCounts: [Float], shrinkageCounts: [Float]) {
    self.priorCounts = priorCounts
    self.shrinkageCounts = shrinkageCounts
  }

  /// The grid with intermediate features: values near the choice without them.
  package init(near choice: LinearDiscriminant.Choice) {
    let more = min(
      Constants.featurePriorCountFactor * choice.priorCount, Constants.mostFeaturePriorCount)
    self.init(
      priorCounts: [choice.priorCount, more],
      shrinkageCounts: Constants.featureShrinkageCounts)
  }

  /// Candidates.
  package var count: Int { priorCounts.count * shrinkageCounts.count }

  /// - Parameter scale: the index of a logit scale.
  package func choice(_ candidate: Int, _ scale: Int) -> LinearDiscriminant.Choice {
    LinearDiscriminant.Choice(
      priorCount: priorCounts[candidate / shrinkageCounts.count],
      shrinkageCount: shrinkageCounts[candidate % shrinkageCounts.count],
      logitScale: Constants.logitScales[scale])
  }
}
