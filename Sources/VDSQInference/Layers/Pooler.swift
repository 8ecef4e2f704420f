import VDSQFormat
import VDSQKernels

/// Pools the states of a sequence, one after another, into one vector.
struct Pooler {
  private let pooling: Pooling
  private let kernels: KernelTable
  private let columns: Int
  private let skipped: Int

  /// - Parameters:
  ///   - columns: numbers in a state.
  ///   - skipped: the number of first tokens that are not pooled, fewer than the sequence has.
  init(_ pooling: Pooling, _ kernels: KernelTable, columns: Int, skipped: Int = 0) {
    self.pooling = pooling
    self.kernels = kernels
    self.columns = columns
    self.skipped = skipped
  }

  /// Adds the state of the token at `position`, counted from 0. States come in order; the first one
  /// that is not skipped sets the vector.
  func add(_ state: UnsafePointer<Float>, position: Int, to vector: UnsafeMutablePointer<Float>) {
    guard position >= skipped else { return }
    switch pooling {
    case .weightedMean where position == skipped:
      let weight = Float(position + 1)
      for i in 0..<columns { vector[i] = weight * state[i] }
    case _ where position == skipped, .lastToken, .nextToken:
      for i in 0..<columns { vector[i] = state[i] }
    case .cls, .mask: return
    case .max:
      for i in 0..<columns where state[i] > vector[i] { vector[i] = state[i] }
    case .mean, .meanSquareRoot: kernels.addScaled(1, state, columns, vector)
    case .weightedMean: kernels.addScaled(Float(position + 1), state, columns, vector)
    }
  }

  /// Ends a sequence of `count` tokens, those that were skipped included.
  func finish(_ vector: UnsafeMutablePointer<Float>, count: Int) {
    let scale = pooling.scale(of: count - skipped, after: skipped)
    guard scale != 1 else { return }
    for i in 0..<columns { vector[i] *= scale }
  }
}
