import Glibc
import VDSQSemantics

/// How far the examples bear out the label words (docs/few-shot.md, "Label words that mislead").
///
/// One number says more than held-out likelihood: the slope of the labels' mean states on their
/// anchors. It is positive where the words are right, near zero where they say nothing, and
/// negative where they name other labels. Its posterior follows from a mixture of these three.
package struct AnchorReliability {
  private typealias Constants = Hyperparameters.Reliability

  /// The trust in each label's anchor: 1 as much as a user's words deserve, 0 none, and -1 the
  /// opposite, which only two labels can have.
  package let trust: [Float]

  /// - Parameters:
  ///   - anchors: `[labels, dimensions]`, centred over the labels and scaled as prior means.
  ///   - columns: the number of columns, from the first on, that are compared: those of the model's
  ///     vector, without intermediate features.
  ///   - saysNothing: whether a label's words mean nothing, such as 0 or LABEL_3.
  package init(
    anchors: [Float], _ statistics: ClassStatistics, columns: Int, saysNothing: [Bool]
  ) {
    let slopes = Self.trust(anchors, statistics, columns: columns)
    trust = slopes.indices.map { saysNothing[$0] ? 0 : slopes[$0] }
  }

  private static func trust(
    _ anchors: [Float], _ statistics: ClassStatistics, columns: Int
  ) -> [Float] {
    let d = statistics.dimensions
    let counts = statistics.counts
    let seen = counts.indices.filter { counts[$0] > 0 }
    // What the means of the seen labels share is not evidence.
    var centre = [Float](repeating: 0, count: columns)
    for label in seen {
      for j in 0..<columns {
        centre[j] += statistics.sums[label * d + j] / (counts[label] * Float(seen.count))
      }
    }
    var products = [Float](repeating: 0, count: counts.count)
    var squares = products
    for label in seen {
      for j in 0..<columns {
        let anchor = anchors[label * d + j]
        products[label] += anchor * (statistics.sums[label * d + j] / counts[label] - centre[j])
        squares[label] += anchor * anchor
      }
    }
    let total = seen.reduce(Float(0)) { $0 + squares[$1] }
    guard total > 0 else { return counts.map { _ in 1 } }
    let variance = Constants.anisotropy * statistics.varianceWithinLabels
    let slope = seen.reduce(Float(0)) { $0 + products[$1] } / total
    let noise = seen.reduce(Float(0)) { $0 + squares[$1] / counts[$1] } * variance
    let isSparse = !counts.contains { $0 > 1 }
    let expected = expectedSlope(
      slope, deviation: noise.squareRoot() / total, labels: counts.count, isSparse: isSparse)
    let full = isSparse ? Constants.fullTrustOfSingles : Constants.fullTrust
    let common = max(-1, min(1, expected / full))
    guard counts.count > 2, !isSparse, common > 0 else { return counts.map { _ in common } }
    // The words of one label may be wrong though those of the others are right.
    return counts.indices.map { label in
      guard counts[label] > 0, squares[label] > 0 else { return common }
      let own = min(products[label] / squares[label], expected)
      let deviation = (variance / (counts[label] * squares[label])).squareRoot()
      let right =
        Constants.rightLabel
        * density(own, expected, hypotf(deviation, Constants.labelSpread * expected))
      let wrong =
        (1 - Constants.rightLabel)
        * density(own, 0, hypotf(deviation, Constants.unrelatedSpread))
      return common * right / (right + wrong)
    }
  }

  /// The posterior mean of the slope, in which words that say nothing count as 0.
  private static func expectedSlope(
    _ slope: Float, deviation: Float, labels: Int, isSparse: Bool
  ) -> Float {
    let steps = 480, step: Float = 1.2 / 480
    // Of several labels, words of another label are opposed to a label's own by a share only.
    let opposed = Constants.meanSlope / Float(labels - 1)
    var (right, unrelated, contradicted) = (
      MixtureComponent(), MixtureComponent(), MixtureComponent()
    )
    for i in -steps...steps {
      let t = Float(i) * step
      let likelihood = density(slope, t, deviation)
      if i >= 0 { right.add(t, expf(-t / Constants.meanSlope), likelihood) }
      unrelated.add(t, density(t, 0, Constants.unrelatedSpread), likelihood)
      if i < 0 { contradicted.add(t, expf(t / opposed), likelihood) }
    }
    let posterior =
      Constants.right * right.evidence + Constants.unrelated * unrelated.evidence
      + Constants.contradicted * contradicted.evidence
    guard posterior > 0 else { return labels == 2 && !isSparse ? slope : max(0, slope) }
    var mean = Constants.right * right.moment
    // With one example a label, a contradiction lets go of the words, but does not invert them.
    if labels == 2, !isSparse { mean += Constants.contradicted * contradicted.moment }
    return mean / posterior
  }

  /// A component of the mixture: the mean of the likelihood, and of slope times likelihood.
  private struct MixtureComponent {
    private var weights: Float = 0
    private var likelihoods: Float = 0
    private var moments: Float = 0

    mutating func add(_ t: Float, _ weight: Float, _ likelihood: Float) {
      weights += weight
      likelihoods += weight * likelihood
      moments += weight * likelihood * t
    }

    var evidence: Float { likelihoods / weights }
    var moment: Float { moments / weights }
  }

  /// A Gaussian density, up to a constant.
  private static func density(_ x: Float, _ mean: Float, _ deviation: Float) -> Float {
    let z = (x - mean) / deviation
    return expf(-z * z / 2) / deviation
  }
}
