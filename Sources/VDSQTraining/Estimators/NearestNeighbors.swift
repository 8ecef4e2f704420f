package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

/// k-nearest-neighbour classifier over hidden states.
///
/// The number of neighbours and the sharpness of their votes maximise the leave-one-out likelihood.
package struct NearestNeighbors {
  private typealias Constants = Hyperparameters.Neighbors

  package let kernels: KernelTable

  package init(kernels: KernelTable) { self.kernels = kernels }

  /// - Throws: `usage` if there are no examples.
  package func train(
    _ set: TrainingSet, modelIdentity: UInt32, progress: ProgressSpan = .silent
  ) throws(VDSQError) -> Adapter {
    guard set.count > 0 else { throw .usage("there are no examples to learn from") }
    let d = set.columns
    var unit = set.features.values
    unit.withUnsafeMutableBufferPointer {
      for start in stride(from: 0, to: $0.count, by: d) {
        let norm = length($0.baseAddress! + start, d)
        if norm > 0 { for j in start..<start + d { $0[j] /= norm } }
      }
    }
    let candidates = Constants.counts.filter { $0 == 1 || $0 < set.count }.flatMap { count in
      Constants.sharpness.map {
        NearestNeighborsHead(states: unit, targets: set.targets, count: count, sharpness: $0)
      }
    }
    let chosen = set.count > 1 ? try choose(candidates, set, progress) : 0
    return Adapter(
      labels: set.anchors, head: .nearestNeighbors(candidates[chosen]),
      modelIdentity: modelIdentity)
  }

  /// The candidate with the highest leave-one-out likelihood.
  private func choose(
    _ candidates: [NearestNeighborsHead], _ set: TrainingSet, _ progress: ProgressSpan
  ) throws(VDSQError) -> Int {
    let d = set.columns
    var cosines = [Float](repeating: 0, count: set.count)
    let table = try CrossValidation.leaveOneOut(set.spread(atMost: Constants.mostForChoosing))
      .score(
        set.targets, labels: set.anchors.count, candidates: candidates.count, .logProbabilities,
        progress: progress
      ) { (_, evaluate, progress) throws(VDSQError) in
        for (i, neighbors) in candidates.enumerated() {
          try evaluate(i) { example, logits in
            neighbors.states.withUnsafeBufferPointer { states in
              logits.withUnsafeMutableBufferPointer {
                neighbors.logits(
                  states.baseAddress! + example * d, kernels, cosines: &cosines,
                  excluding: example, into: $0)
              }
            }
          }
          progress.advance(to: Double(i + 1) / Double(candidates.count))
        }
      }
    return table.best.candidate
  }
}
