package import VDSQFormat
package import VDSQInference

/// The directions of a layer to which a model's state reacts most: right singular vectors of the
/// Jacobian of the state of a text with respect to what is added to the states of the layer at all
/// positions, in multiples of their lengths (`Steering`).
///
/// The Jacobian is made of central differences: two passes over the texts for each dimension. A
/// backward pass would be exact, but decoders have none, and the steered pass is the one whose
/// reaction is asked for.
package struct SteeringJacobian {
  /// The change by which differences are taken, in multiples of the length of a state.
  package static let step: Float = 0.02

  /// `J^T J`, summed over texts: `[hidden size, hidden size]`, lower triangle.
  private let products: Floats
  private let d: Int

  /// - Parameters:
  ///   - texts: few; each takes the memory of a matrix.
  ///   - advance: called with the share that is done.
  /// - Throws: `badInput` if the model fails.
  package init(
    _ texts: [String], encoder: TextEncoder, layer: Int, advance: (Double) -> Void
  ) throws(VDSQError) {
    d = encoder.hiddenSize
    let size = encoder.dimensions
    products = Floats(d * d)
    // The transposed Jacobians: a column of each is found at a time.
    var columns = [[Float]](repeating: [], count: d)
    var shift = [Float](repeating: 0, count: d)
    defer { try? encoder.steer(nil) }
    for dimension in 0..<d {
      var difference: [Float] = []
      for sign: Float in [1, -1] {
        shift[dimension] = sign * Self.step
        try encoder.steer(Steering(layer: layer, shift: shift))
        let states = try Self.states(texts, encoder)
        difference =
          sign > 0 ? states : zip(difference, states).map { ($0 - $1) / (2 * Self.step) }
      }
      shift[dimension] = 0
      columns[dimension] = difference
      advance(Double(dimension + 1) / Double(d))
    }
    let rows = texts.count * size
    let jacobian = Floats(rows * d)
    for (column, values) in columns.enumerated() {
      for row in 0..<rows { jacobian.p[row * d + column] = values[row] }
    }
    withExtendedLifetime(jacobian) {
      encoder.arithmetic.addProducts(of: jacobian.p, rows: rows, columns: d, to: products.p)
    }
  }

  /// The states of texts, one after another.
  private static func states(
    _ texts: [String], _ encoder: TextEncoder
  ) throws(VDSQError) -> [Float] {
    var states: [Float] = []
    func flush() throws(VDSQError) {
      try encoder.encode { (_, state) throws(VDSQError) in
        states += UnsafeBufferPointer(start: state, count: encoder.dimensions)
      }
    }
    for text in texts {
      if !encoder.hasRoom { try flush() }
      try Array(text.utf8).withBytes { (raw) throws(VDSQError) in _ = encoder.add(raw) }
    }
    try flush()
    return states
  }

  /// Right singular vectors, `[count, hidden size]`, and the share of the squared reaction that
  /// each causes.
  package func singularVectors(_ count: Int) -> (vectors: [[Float]], shares: [Float]) {
    let trace = (0..<d).reduce(Float(0)) { $0 + products.p[$1 * d + $1] }
    let found = DominantEigenvectors(count, dimensions: d) { rows in
      (0..<rows.count).map { place in
        let (row, i) = (place / d * d, place % d)
        return (0..<d).reduce(Float(0)) {
          $0 + products.p[max(i, $1) * d + min(i, $1)] * rows[row + $1]
        }
      }
    }
    return (found.rows, found.shares(of: trace))
  }
}
