import Glibc
import VDSQSemantics

/// The difference in accuracy of two classifiers on the same texts, trained on the same draws of
/// examples.
///
/// A text is hard or easy for both, so the difference is better known than either accuracy. Its 95%
/// interval is Tango's score interval for one draw. For several draws, texts and draws are
/// resampled (the pigeonhole bootstrap, Owen 2007), which is rather too wide than too narrow.
public struct PairedComparison: Sendable, Equatable {
  /// What an interval comes from.
  public enum Method: String, Sendable {
    /// Tango's score interval (1998).
    case score
    /// Percentiles of resampled texts and draws.
    case bootstrap
  }

  /// The accuracy of the first minus that of the second, from -1 to 1.
  public let difference: Double
  /// The 95% confidence interval of the difference, within -1 to 1.
  public let interval: ClosedRange<Double>
  /// How the interval was computed.
  public let method: Method
  /// The two-sided p-value of McNemar's exact test; nil for several draws.
  public let exactP: Double?
  /// The number of answers that only the first has right, over all draws.
  public let onlyFirst: Int
  /// The number of answers that only the second has right, over all draws.
  public let onlySecond: Int

  /// Whether the interval leaves 0 out, so that one of the two is better.
  public var excludesZero: Bool { interval.lowerBound > 0 || interval.upperBound < 0 }

  /// The number of resamples of the bootstrap.
  private static let resamples = 2000

  /// Compares evaluations of the same texts. One evaluation is compared with each of several.
  ///
  /// - Returns: nil if they are not about the same number of texts, or of draws.
  package init?(_ first: [Evaluation], _ second: [Evaluation]) {
    let draws = max(first.count, second.count)
    guard let count = first.first?.count, !second.isEmpty,
      (first + second).allSatisfy({ $0.count == count }),
      [first.count, second.count].allSatisfy({ $0 == draws || $0 == 1 })
    else { return nil }
    var onlyFirst = 0, onlySecond = 0
    // [texts, draws]: 1 if only the first is right, -1 if only the second is.
    var differences = [Int8](repeating: 0, count: count * draws)
    for draw in 0..<draws {
      let a = first[first.count == 1 ? 0 : draw].answers
      let b = second[second.count == 1 ? 0 : draw].answers
      for text in 0..<count where a[text].isRight != b[text].isRight {
        differences[text * draws + draw] = a[text].isRight ? 1 : -1
        if a[text].isRight { onlyFirst += 1 } else { onlySecond += 1 }
      }
    }
    (self.onlyFirst, self.onlySecond) = (onlyFirst, onlySecond)
    difference = Double(onlyFirst - onlySecond) / Double(max(1, count * draws))
    if draws == 1 {
      method = .score
      interval = ScoreInterval.ofPairedDifference(
        first: onlyFirst, second: onlySecond, of: count)
      exactP = Self.exactP(onlyFirst, onlySecond)
    } else {
      method = .bootstrap
      interval = Self.bootstrap(differences, texts: count, draws: draws)
      exactP = nil
    }
  }

  /// McNemar's exact test: how probable a division at least as uneven is if both are as likely.
  static func exactP(_ first: Int, _ second: Int) -> Double {
    let all = Double(first + second)
    let tail = (0...min(first, second)).reduce(0.0) { sum, k in
      let k = Double(k)
      return sum
        + exp(lgamma(all + 1) - lgamma(k + 1) - lgamma(all - k + 1) - all * log(2.0))
    }
    return min(1, 2 * tail)
  }

  private static func bootstrap(
    _ differences: [Int8], texts: Int, draws: Int
  ) -> ClosedRange<Double> {
    guard texts > 0 else { return -1...1 }
    var random = SplitMix64(seed: 1)
    var means: [Double] = []
    var sums = [Int](repeating: 0, count: draws)
    for _ in 0..<resamples {
      for draw in 0..<draws { sums[draw] = 0 }
      for _ in 0..<texts {
        let start = Int.random(in: 0..<texts, using: &random) * draws
        for draw in 0..<draws { sums[draw] += Int(differences[start + draw]) }
      }
      let sum = (0..<draws).reduce(0) { sum, _ in
        sum + sums[Int.random(in: 0..<draws, using: &random)]
      }
      means.append(Double(sum) / Double(texts * draws))
    }
    means.sort()
    let outside = resamples / 40
    return means[outside]...means[resamples - 1 - outside]
  }
}
