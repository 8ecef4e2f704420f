import VDSQFormat
package import VDSQKernels

/// Logits that are linear in the state: `weights h + bias`.
package struct LinearHead: Sendable {
  /// `[labels, dimensions]`.
  package let weights: [Float]
  /// `[labels]`.
  package let bias: [Float]

  /// The names of its tensors in an adapter's file.
  struct Name {
    let weights: String
    let bias: String

    /// Of a head whose softmax chooses one label.
    static let choice = Name(weights: "head.weight", bias: "head.bias")
    /// Of a head each of whose labels is right or wrong by itself. A program that does not know it
    /// must not take it for the other.
    static let oneVsRest = Name(weights: "one_vs_rest.weight", bias: "one_vs_rest.bias")
  }

  /// - Parameters:
  ///   - weights: `[labels, dimensions]`.
  ///   - bias: `[labels]`.
  package init(weights: [Float], bias: [Float]) {
    self.weights = weights
    self.bias = bias
  }

  /// The logits of a state.
  ///
  /// - Parameters:
  ///   - state: as many floats as a label has weights.
  ///   - kernels: the SIMD kernels to use.
  ///   - out: a buffer of one float per label.
  package func logits(
    _ state: UnsafePointer<Float>, _ kernels: KernelTable, into out: UnsafeMutablePointer<Float>
  ) {
    kernels.dotRows(state, weights, bias.count, weights.count / bias.count, out)
    for label in bias.indices { out[label] += bias[label] }
  }

  var bytes: Int { 4 * (weights.count + bias.count) }

  func direction(_ label: Int, _ other: Int, columns: Int, dimensions d: Int) -> [Float] {
    difference(of: weights, label, other, columns: columns, dimensions: d)
  }

  init(
    _ file: Container, labels: Int, dimensions: Int, name: Name = .choice
  ) throws(VDSQError) {
    weights = try file.finiteFloats(name.weights, shape: [labels, dimensions])
    bias = try file.finiteFloats(name.bias, shape: [labels])
  }

  func store(in contents: inout AdapterContents, name: Name = .choice) {
    contents.add(name.weights, .float32(weights), shape: [bias.count, weights.count / bias.count])
    contents.add(name.bias, .float32(bias), shape: [bias.count])
  }
}

/// The difference of two rows of `[rows, dimensions]`, its first `columns` numbers.
func difference(
  of rows: [Float], _ row: Int, _ other: Int, columns: Int, dimensions d: Int
) -> [Float] {
  var result = [Float](repeating: 0, count: columns)
  for j in 0..<columns { result[j] = rows[row * d + j] - rows[other * d + j] }
  return result
}
