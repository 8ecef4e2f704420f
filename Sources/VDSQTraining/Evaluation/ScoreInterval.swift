/// Confidence intervals of 95% that invert score tests. They stay in range, and are sensible for
/// few texts and for shares near 0 and 1.
package enum ScoreInterval {
  /// The two-sided 95% quantile of the normal distribution.
  private static let quantile = 1.959963984540054

  /// The interval of a share (Wilson 1927), within 0 to 1.
  package static func ofShare(_ right: Int, of count: Int) -> ClosedRange<Double> {
    guard count > 0 else { return 0...1 }
    let (right, count) = (Double(right), Double(count))
    let square = quantile * quantile
    let middle = (right + square / 2) / (count + square)
    let half =
      quantile / (count + square) * (right * (count - right) / count + square / 4).squareRoot()
    return max(0, middle - half)...min(1, middle + half)
  }

  /// The interval of the difference of two shares of the same texts (Tango 1998), within -1 to 1.
  ///
  /// - Parameters:
  ///   - first: texts that count in the first share alone.
  ///   - second: texts that count in the second share alone.
  ///   - count: all texts.
  package static func ofPairedDifference(
    first: Int, second: Int, of count: Int
  ) -> ClosedRange<Double> {
    guard count > 0 else { return -1...1 }
    let (b, c, n) = (Double(first), Double(second), Double(count))
    /// Decreases in the difference.
    func score(_ difference: Double) -> Double {
      let linear = -b - c + (2 * n - b + c) * difference
      let constant = -c * difference * (1 - difference)
      // The likeliest share of texts that count in the second alone, given the difference.
      let share = (max(0, linear * linear - 8 * n * constant).squareRoot() - linear) / (4 * n)
      let variance = n * (2 * share + difference * (1 - difference))
      let gap = b - c - n * difference
      return variance > 0 ? gap / variance.squareRoot() : gap == 0 ? 0 : gap * .infinity
    }
    /// Where the score falls below a value.
    func crossing(_ value: Double, _ range: (Double, Double)) -> Double {
      var (low, high) = range
      for _ in 0..<60 {
        let middle = (low + high) / 2
        if score(middle) > value { low = middle } else { high = middle }
      }
      return (low + high) / 2
    }
    let difference = (b - c) / n
    return crossing(quantile, (-1, difference))...crossing(-quantile, (difference, 1))
  }
}
