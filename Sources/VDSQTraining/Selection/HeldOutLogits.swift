/// The predictions of several models for held-out examples: the level-one data of stacked
/// generalization (Wolpert 1992).
package struct HeldOutLogits {
  /// Labels of the examples.
  package let targets: [Int]
  /// Of each model, `[examples, labels]` logits.
  package let candidates: [[Float]]

  /// The log-likelihood of the labels by the logits `a * x + b * y`.
  package func logLikelihood(_ a: Float, _ x: [Float], _ b: Float, _ y: [Float]) -> Double {
    let labels = x.count / targets.count
    var sum = 0.0
    for (i, target) in targets.enumerated() {
      let logits = (i * labels..<(i + 1) * labels).map { a * x[$0] + b * y[$0] }
      sum += LogLikelihood.of(target, logits: logits)
    }
    return sum
  }
}
