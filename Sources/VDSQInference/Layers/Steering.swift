import VDSQKernels

/// A vector that is added to the states behind one layer, at every position of every text
/// (activation addition, Turner et al., arXiv 2308.10248).
///
/// A state h becomes `h + |h| shift`. The shift is in multiples of the state's own length, because
/// states of different layers and models differ in length by orders of magnitude.
public struct Steering: Sendable {
  /// The layer whose states are changed: 0 for the embeddings, otherwise from 1 to the number of
  /// layers.
  public let layer: Int
  /// `[hidden size]`, in multiples of the length of a state.
  public let shift: [Float]

  /// - Parameters:
  ///   - layer: 0 for the embeddings, otherwise from 1 to the number of layers.
  ///   - shift: `[hidden size]`, in multiples of the length of a state.
  public init(layer: Int, shift: [Float]) {
    self.layer = layer
    self.shift = shift
  }

  /// Changes states in place.
  ///
  /// - Parameter states: `[rows, hidden size]`.
  func apply(to states: UnsafeMutablePointer<Float>, rows: Int, _ kernels: KernelTable) {
    let d = shift.count
    shift.withUnsafeBufferPointer { shift in
      for row in 0..<rows {
        let state = states + row * d
        var square: Float = 0
        kernels.dotRows(state, state, 1, d, &square)
        kernels.addScaled(square.squareRoot(), shift.baseAddress!, d, state)
      }
    }
  }
}
