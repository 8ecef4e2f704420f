import Glibc

/// The probability of a label from a score: `1 / (1 + exp(-(slope score + offset)))`, fitted to
/// held-out scores (Platt 1999).
package struct SigmoidCalibration: Sendable, Equatable {
  package var slope = 1.0
  package var offset = 0.0

  /// The log-likelihood of the scores that it was fitted to.
  package private(set) var logLikelihood = 0.0

  /// Fits by Newton's method to Platt's smoothed targets, (n + 1) / (n + 2) for texts with the
  /// label and 1 / (n + 2) for others, so that separable scores have a finite slope.
  ///
  /// - Parameters:
  ///   - scores: one for each text.
  ///   - has: whether each text has the label.
  package init(_ scores: [Float], _ has: [Bool]) {
    let positives = Double(has.count { $0 })
    let negatives = Double(has.count) - positives
    let (high, low) = ((positives + 1) / (positives + 2), 1 / (negatives + 2))
    offset = log((positives + 1) / (negatives + 1))
    for _ in 0..<50 {
      var (g0, g1, h00, h01, h11) = (0.0, 0.0, 1e-9, 0.0, 1e-9)
      for (score, has) in zip(scores, has) {
        let (x, p) = (Double(score), probability(score))
        let error = p - (has ? high : low)
        g0 += error * x
        g1 += error
        h00 += p * (1 - p) * x * x
        h01 += p * (1 - p) * x
        h11 += p * (1 - p)
      }
      let determinant = h00 * h11 - h01 * h01
      guard determinant > 1e-12 else { break }
      var steps = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant)
      let before = loss(scores, has, high, low)
      let (slope, offset) = (slope, offset)
      for _ in 0..<20 {
        (self.slope, self.offset) = (slope - steps.0, offset - steps.1)
        if loss(scores, has, high, low) <= before { break }
        steps = (steps.0 / 2, steps.1 / 2)
      }
      if steps.0.magnitude + steps.1.magnitude < 1e-9 { break }
    }
    // Scores that say the opposite of what they should say nothing.
    slope = max(slope, 1e-3)
    logLikelihood = -loss(scores, has, 1, 0)
  }

  /// From 0 to 1.
  package func probability(_ score: Float) -> Double {
    1 / (1 + exp(-(slope * Double(score) + offset)))
  }

  private func loss(_ scores: [Float], _ has: [Bool], _ high: Double, _ low: Double) -> Double {
    zip(scores, has).reduce(0) { sum, text in
      let p = min(max(probability(text.0), 1e-12), 1 - 1e-12)
      let target = text.1 ? high : low
      return sum - target * log(p) - (1 - target) * log(1 - p)
    }
  }
}
