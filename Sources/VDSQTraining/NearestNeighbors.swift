public import VDSQFormat
public import VDSQKernels
public import VDSQSemantics

/// The retrieval baseline: how many of the closest examples vote, and how much closer ones count for more, are what
/// makes each example likeliest by the others.
public struct NearestNeighbors {
  private static let counts = [1, 3, 5, 9, 15, 31]
  private static let sharpness: [Float] = [0, 5, 10, 20, 40]
  /// More examples than that choose nothing better.
  private static let mostForChoosing = 500

  private let kernels: KernelTable

  public init(kernels: KernelTable) { self.kernels = kernels }

  /// - Parameters:
  ///   - states: `[examples, dimensions]`.
  ///   - targets: each example's label.
  ///   - report: called with the share of the work that is done, from 0 to 1.
  /// - Throws: `usage` where there are no examples.
  public func train(
    states: [Float], targets: [Int], labels: LabelSet, modelIdentity: UInt32,
    report: (_ share: Double) -> Void = { _ in }
  ) throws(VDSQError) -> Adapter {
    guard !targets.isEmpty else { throw .usage("there are no examples to learn from") }
    let d = labels.dimensions
    var unit = states
    unit.withUnsafeMutableBufferPointer {
      for start in stride(from: 0, to: $0.count, by: d) {
        let norm = length($0.baseAddress! + start, d)
        if norm > 0 { for j in start..<start + d { $0[j] /= norm } }
      }
    }
    var best: (score: Double, neighbors: NearestNeighborsHead)?
    let tried = Self.counts.filter { $0 == 1 || $0 < targets.count }
    let chosen = min(targets.count, Self.mostForChoosing)
    let members = (0..<chosen).map { $0 * targets.count / chosen }
    for (i, count) in tried.enumerated() {
      for sharpness in Self.sharpness {
        let neighbors = NearestNeighborsHead(
          states: unit, targets: targets, count: count, sharpness: sharpness)
        let score = score(neighbors, members, labels.count)
        if score > best?.score ?? -.infinity { best = (score, neighbors) }
      }
      report(Double(i + 1) / Double(tried.count))
    }
    return Adapter(
      labels: labels, head: .nearestNeighbors(best!.neighbors), modelIdentity: modelIdentity)
  }

  /// The log-likelihood of examples by all others; 0 where there are none.
  private func score(_ neighbors: NearestNeighborsHead, _ members: [Int], _ labels: Int) -> Double {
    guard neighbors.targets.count > 1 else { return 0 }
    let d = neighbors.states.count / neighbors.targets.count
    var cosines = [Float](repeating: 0, count: neighbors.targets.count)
    var logits = [Float](repeating: 0, count: labels)
    var sum = 0.0
    for example in members {
      neighbors.states.withUnsafeBufferPointer { states in
        logits.withUnsafeMutableBufferPointer {
          neighbors.logits(
            states.baseAddress! + example * d, kernels, cosines: &cosines, excluding: example,
            into: $0)
        }
      }
      sum += Double(logits[neighbors.targets[example]])
    }
    return sum
  }
}
