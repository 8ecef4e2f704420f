package import VDSQ
package import VDSQFormat

/// The transfer of steps between tasks as measured: each task's step is added to the weights, and
/// all pairs are scored.
package struct ExactTransfer: Sendable {
  /// `[tasks][tasks]`: the change of B's mean `L(good) - L(bad)` by the step of A, in nats.
  package let transfer: [[Double]]
  /// The accuracy of each task before any step, and `[tasks][tasks]`, that of B after the step of
  /// A.
  package let accuracyBefore: [Double]
  package let accuracy: [[Double]]
  /// Spearman's rank correlation of all entries with those of the first-order matrix, and of those
  /// off the diagonal.
  package let rankCorrelation, rankCorrelationOfOthers: Double

  /// - Parameter progress: called with the number of finished steps.
  /// - Throws: `badInput` if the model's weights cannot be read.
  package init(
    _ tasks: [[MinimalPair]], _ space: TaskSpace, scorer: TextScorer, container: Container,
    progress: (Int) -> Void = { _ in }
  ) throws(VDSQError) {
    let c = try Architecture(container.metadata)
    let pairs = tasks.flatMap(\.self)
    let before = try PairEvaluation(of: pairs, scorer: scorer)
    accuracyBefore = before.tasks.map(\.accuracy)
    var (transfer, accuracy): ([[Double]], [[Double]]) = ([], [])
    for task in tasks.indices {
      try scorer.update(space.updates(of: task, c))
      let after = try PairEvaluation(of: pairs, scorer: scorer)
      // A loss is a negative log-likelihood, so its difference has the other sign.
      transfer.append(
        zip(before.tasks, after.tasks).map { $0.meanDifference - $1.meanDifference })
      accuracy.append(after.tasks.map(\.accuracy))
      progress(task + 1)
    }
    try scorer.update(nil)
    (self.transfer, self.accuracy) = (transfer, accuracy)
    func correlation(_ isWanted: (Int, Int) -> Bool) -> Double {
      var (first, exact): ([Double], [Double]) = ([], [])
      for a in tasks.indices {
        for b in tasks.indices where isWanted(a, b) {
          first.append(space.transfer[a][b])
          exact.append(transfer[a][b])
        }
      }
      return RankCorrelation.spearman(first, exact)
    }
    rankCorrelation = correlation { _, _ in true }
    rankCorrelationOfOthers = correlation { $0 != $1 }
  }
}
