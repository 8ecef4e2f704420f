/// The mean of a figure over several seeds, with its standard deviation and confidence interval.
public struct Spread: Sendable {
  /// The arithmetic mean; 0 if there are no values.
  public let mean: Double
  /// The sample's standard deviation; 0 for one number.
  public let deviation: Double
  /// Half the width of the mean's 95% confidence interval (Student's t).
  public let margin: Double

  /// The mean's 95% confidence interval, within the range from 0 to 1 of an accuracy.
  public var interval: ClosedRange<Double> {
    max(0, mean - margin)...min(1, max(0, mean + margin))
  }

  /// Two-sided 95% quantiles of Student's t for 1, 2, ... degrees of freedom.
  private static let quantiles = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
  ]

  /// - Parameter values: the figure of each seed.
  public init(_ values: [Double]) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / max(1, count)
    self.mean = mean
    guard values.count > 1 else {
      (deviation, margin) = (0, 0)
      return
    }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = (squares / (count - 1)).squareRoot()
    let freedom = values.count - 1
    let quantile = freedom <= Self.quantiles.count ? Self.quantiles[freedom - 1] : 1.96
    margin = quantile * deviation / count.squareRoot()
  }
}
