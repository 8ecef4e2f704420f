public import VDSQKernels

/// Logits that are linear in the state: `weights h + bias`.
public struct LinearHead: Sendable {
  /// `[labels, dimensions]`.
  public let weights: [Float]
  /// `[labels]`.
  public let bias: [Float]

  public init(weights: [Float], bias: [Float]) {
    self.weights = weights
    self.bias = bias
  }

  /// A state's logits, one for each label.
  ///
  /// - Parameters:
  ///   - state: as many floats as a label has weights.
  ///   - out: room for as many floats as there are labels.
  public func logits(
    _ state: UnsafePointer<Float>, _ kernels: KernelTable, into out: UnsafeMutablePointer<Float>
  ) {
    kernels.dotRows(state, weights, bias.count, weights.count / bias.count, out)
    for label in bias.indices { out[label] += bias[label] }
  }
}
