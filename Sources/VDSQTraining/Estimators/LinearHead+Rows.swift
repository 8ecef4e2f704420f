package import VDSQSemantics

extension LinearHead {
  /// The logits of many states: `[states, labels]`.
  ///
  /// - Parameter states: `[states, dimensions]`.
  package func logits(_ states: [Float], _ arithmetic: MatrixArithmetic) -> [Float] {
    let labels = bias.count, d = weights.count / labels
    let rows = states.count / d
    var logits = [Float](repeating: 0, count: rows * labels)
    logits.withUnsafeMutableBufferPointer { logits in
      guard let base = logits.baseAddress else { return }
      arithmetic.multiply(
        states, rows: rows, arithmetic.packed(weights, rows: labels, columns: d), base)
      for row in 0..<rows {
        for label in 0..<labels { base[row * labels + label] += bias[label] }
      }
    }
    return logits
  }

  /// The head with all logits multiplied by a factor.
  package func scaled(by factor: Float) -> LinearHead {
    LinearHead(weights: weights.map { factor * $0 }, bias: bias.map { factor * $0 })
  }

  /// `sum + factor * head`; nil is a sum of none.
  package static func sum(
    _ sum: LinearHead?, _ head: LinearHead, times factor: Float
  ) -> LinearHead {
    guard let sum else { return head.scaled(by: factor) }
    return LinearHead(
      weights: zip(sum.weights, head.weights).map { $0 + factor * $1 },
      bias: zip(sum.bias, head.bias).map { $0 + factor * $1 })
  }
}
