package import VDSQKernels

/// The predictions of several models for held-out examples: the level-one data of stacked
/// generalization (Wolpert 1992).
package struct HeldOutLogits {
  /// Labels of the examples.
  package let targets: [Int]
  /// Of each model, `[examples, labels]` logits.
  package let candidates: [[Float]]

  /// The log-likelihood of the labels by the logits `a * x + b * y`.
  package func logLikelihood(
    _ a: Float, _ x: [Float], _ b: Float, _ y: [Float], _ kernels: KernelTable
  ) -> Double {
    LogLikelihood.of(targets, logits: Self.mixture(a, x, b, y), kernels)
  }

  /// `a * x + b * y`.
  package static func mixture(_ a: Float, _ x: [Float], _ b: Float, _ y: [Float]) -> [Float] {
    [Float](unsafeUninitializedCapacity: x.count) { to, count in
      for i in x.indices { to[i] = a * x[i] + b * y[i] }
      count = x.count
    }
  }
}
