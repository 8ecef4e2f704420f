import Glibc
package import VDSQKernels

/// Logarithms of the probabilities that a model gives to true labels, in nats.
package enum LogLikelihood {
  /// The sum of `log softmax(logits / temperature)[target]` over examples.
  ///
  /// - Parameters:
  ///   - targets: the label of each example.
  ///   - logits: `[examples, labels]`.
  package static func of(
    _ targets: [Int], logits: [Float], temperature: Float = 1, _ kernels: KernelTable
  ) -> Double {
    guard !targets.isEmpty else { return 0 }
    let labels = logits.count / targets.count
    var probabilities = logits
    probabilities.withUnsafeMutableBufferPointer {
      kernels.softmax($0.baseAddress!, labels, targets.count, labels, 1 / temperature)
    }
    var sum = 0.0
    for (i, target) in targets.enumerated() {
      sum += Double(of(probabilities[i * labels + target]))
    }
    return sum
  }

  /// A probability's logarithm, which `Hyperparameters.leastProbability` keeps finite.
  package static func of(_ probability: Float) -> Float {
    logf(max(probability, Hyperparameters.leastProbability))
  }
}
