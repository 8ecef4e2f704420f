package import VDSQFormat
package import VDSQInference

/// The directions of a layer to which a model's state reacts most: right singular vectors of the
/// Jacobian of the state of a text with respect to what is added to the states of the layer at all
/// positions, in multiples of their lengths (`Steering`).
///
/// The Jacobian is made of central differences of fourth order: four passes over the texts for each
/// dimension. The steered pass, in integers or not, is the one whose reaction is asked for.
package struct SteeringJacobian {
  /// The change by which differences are taken, in multiples of the length of a state: large enough
  /// for the rounding of states.
  private static func step(_ encoder: TextEncoder) -> Float {
    encoder.roundsActivations ? 0.02 : 0.005
  }
  /// The derivative at 0 of a function of what is added, by its values at multiples of the step
  /// (Fornberg 1988, table 1, order 4).
  private static let stencil: [(multiple: Float, weight: Float)] = [
    (-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12),
  ]

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
    let step = Self.step(encoder)
    products = Floats(d * d)
    // The transposed Jacobians: a column of each is found at a time.
    var columns = [[Float]](repeating: [], count: d)
    var shift = [Float](repeating: 0, count: d)
    defer { try? encoder.steer(nil) }
    for dimension in 0..<d {
      var derivative = [Float](repeating: 0, count: texts.count * size)
      for (multiple, weight) in Self.stencil {
        shift[dimension] = multiple * step
        try encoder.steer(Steering(layer: layer, shift: shift))
        for (i, state) in try Self.states(texts, encoder).enumerated() {
          derivative[i] += weight / step * state
        }
      }
      shift[dimension] = 0
      columns[dimension] = derivative
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
