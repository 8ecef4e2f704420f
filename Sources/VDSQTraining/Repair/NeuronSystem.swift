import VDSQInference

/// The least change of some neurons' vectors that moves a layer's outputs at some tokens by given
/// shifts (docs/repair.md).
///
/// With keys K, `[tokens, neurons]`, shifts D, `[tokens, hiddenSize]`, and the metric M of neurons,
///
///     X = Z^T (K Z^T + ridge I)^-1 D,   Z = K M^-1
///
/// minimises |K X - D|^2 + ridge tr(X^T M X); with ridge 0, K X = D.
struct NeuronSystem {
  /// Factor of the metric M, `[neurons, neurons]`: what the neurons do elsewhere.
  let metric: CholeskyFactor
  let neurons: Int
  let hiddenSize: Int
  /// A share of the mean of K Z^T's diagonal.
  let ridge: Float
  let arithmetic: MatrixArithmetic

  /// - Parameters:
  ///   - keys: `[tokens, neurons]`.
  ///   - shifts: `[tokens, hiddenSize]`.
  /// - Returns: `[neurons, hiddenSize]`; nil if the keys of tokens are too alike to be told apart.
  func solve(keys: [Float], shifts: [Float]) -> [Float]? {
    let tokens = keys.count / neurons, d = hiddenSize
    var z = keys
    z.withUnsafeMutableBufferPointer { metric.solve($0.baseAddress!, count: tokens) }
    var system = [Float](repeating: 0, count: tokens * tokens)
    var trace: Float = 0
    for i in 0..<tokens {
      for j in 0...i {
        var sum: Float = 0
        for k in 0..<neurons { sum += keys[i * neurons + k] * z[j * neurons + k] }
        system[i * tokens + j] = sum
      }
      trace += system[i * tokens + i]
    }
    for i in 0..<tokens { system[i * tokens + i] += ridge * trace / Float(tokens) }
    guard let factor = CholeskyFactor(system, size: tokens, arithmetic: arithmetic) else {
      return nil
    }
    // A right side a row.
    var solution = [Float](repeating: 0, count: d * tokens)
    for i in 0..<tokens {
      for j in 0..<d { solution[j * tokens + i] = shifts[i * d + j] }
    }
    solution.withUnsafeMutableBufferPointer { factor.solve($0.baseAddress!, count: d) }
    var x = [Float](repeating: 0, count: neurons * d)
    for k in 0..<neurons {
      for i in 0..<tokens {
        let factor = z[i * neurons + k]
        for j in 0..<d { x[k * d + j] += factor * solution[j * tokens + i] }
      }
    }
    return x
  }
}
