import VDSQKernels

/// What is changed in the states behind one layer, at every position of every text: directions are
/// removed, and a vector is added (activation addition, Turner et al., arXiv 2308.10248).
///
///     h' = h + sum_i (offset_i |h| - u_i . h) u_i + |h| shift
///
/// The shift and the offsets are in multiples of the state's own length, because states of
/// different layers and models differ in length by orders of magnitude.
public struct Steering: Sendable {
  /// A direction that is removed from states.
  public struct Removal: Sendable {
    /// `[hidden size]`, of length 1, and orthogonal to those of other removals.
    public let direction: [Float]
    /// What the product with the direction becomes, in multiples of the length of a state.
    public let offset: Float

    /// - Parameters:
    ///   - direction: `[hidden size]`, of length 1, and orthogonal to those of other removals.
    ///   - offset: what the product becomes, in multiples of the length of a state.
    public init(direction: [Float], offset: Float) {
      self.direction = direction
      self.offset = offset
    }
  }

  /// The layer whose states are changed: 0 for the embeddings, otherwise from 1 to the number of
  /// layers.
  public let layer: Int
  /// `[hidden size]`, in multiples of the length of a state.
  public let shift: [Float]
  /// What is removed before the shift is added.
  public let removals: [Removal]

  /// - Parameters:
  ///   - layer: 0 for the embeddings, otherwise from 1 to the number of layers.
  ///   - shift: `[hidden size]`, in multiples of the length of a state.
  ///   - removals: directions of length 1 that are orthogonal to each other.
  public init(layer: Int, shift: [Float], removals: [Removal] = []) {
    self.layer = layer
    self.shift = shift
    self.removals = removals
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
        let norm = square.squareRoot()
        for removal in removals {
          removal.direction.withUnsafeBufferPointer { direction in
            var product: Float = 0
            kernels.dotRows(state, direction.baseAddress!, 1, d, &product)
            kernels.addScaled(removal.offset * norm - product, direction.baseAddress!, d, state)
          }
        }
        kernels.addScaled(norm, shift.baseAddress!, d, state)
      }
    }
  }
}
