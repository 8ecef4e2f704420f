import VDSQFormat
import VDSQKernels

/// Pools the states of a sequence, one after another, into one vector.
struct Pooler {
  private let pooling: Pooling
  private let kernels: KernelTable
  private let columns: Int

  /// - Parameter columns: numbers in a state.
  init(_ pooling: Pooling, _ kernels: KernelTable, columns: Int) {
    self.pooling = pooling
    self.kernels = kernels
    self.columns = columns
  }

  /// Adds the state of the token at `position`, counted from 0. States come in order; the first one
  /// sets the vector.
  func add(_ state: UnsafePointer<Float>, position: Int, to vector: UnsafeMutablePointer<Float>) {
    switch pooling {
    case _ where position == 0, .lastToken, .nextToken:
      for i in 0..<columns { vector[i] = state[i] }
    case .cls, .mask: return
    case .max:
      for i in 0..<columns where state[i] > vector[i] { vector[i] = state[i] }
    case .mean, .meanSquareRoot: kernels.addScaled(1, state, columns, vector)
    case .weightedMean: kernels.addScaled(Float(position + 1), state, columns, vector)
    }
  }

  /// Ends a sequence of `count` tokens.
  func finish(_ vector: UnsafeMutablePointer<Float>, count: Int) {
    let scale = pooling.scale(of: count)
    guard scale != 1 else { return }
    for i in 0..<columns { vector[i] *= scale }
  }
}
