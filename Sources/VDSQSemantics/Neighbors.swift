import CShims
public import VDSQKernels

/// The retrieval baseline: examples' states, and a vote of those closest to a text's.
public struct Neighbors: Sendable {
  /// `[examples, dimensions]`, each row of length 1.
  public let states: [Float]
  /// Each example's label.
  public let targets: [Int]
  /// How many vote.
  public let count: Int
  /// A vote counts `exp(sharpness * cosine)`.
  public let sharpness: Float

  /// What a label without a vote has of the votes: the closest may all be wrong.
  static let smoothing: Float = 0.05

  public init(states: [Float], targets: [Int], count: Int, sharpness: Float) {
    self.states = states
    self.targets = targets
    self.count = count
    self.sharpness = sharpness
  }

  /// The labels' shares of the votes, as logarithms.
  ///
  /// - Parameters:
  ///   - state: of length 1.
  ///   - cosines: room for a float an example; consumed.
  ///   - excluded: an example that may not vote, or -1.
  ///   - out: a float a label.
  public func logits(
    _ state: UnsafePointer<Float>, _ kernels: KernelTable, cosines: inout [Float],
    excluding excluded: Int = -1, into out: UnsafeMutableBufferPointer<Float>
  ) {
    let examples = targets.count
    cosines.withUnsafeMutableBufferPointer {
      kernels.dotRows(state, states, examples, states.count / examples, $0.baseAddress!)
    }
    if excluded >= 0 { cosines[excluded] = -2 }
    for label in out.indices { out[label] = 0 }
    var total: Float = 0
    var closest: Float = 0
    for place in 0..<min(count, excluded >= 0 ? examples - 1 : examples) {
      var best = 0
      for i in 1..<max(1, examples) where cosines[i] > cosines[best] { best = i }
      if place == 0 { closest = cosines[best] }
      let vote = vdsq_expf(sharpness * (cosines[best] - closest))
      out[targets[best]] += vote
      total += vote
      cosines[best] = -2
    }
    let share = Self.smoothing / Float(out.count)
    for label in out.indices {
      out[label] = vdsq_logf((1 - Self.smoothing) * (total > 0 ? out[label] / total : 0) + share)
    }
  }
}
