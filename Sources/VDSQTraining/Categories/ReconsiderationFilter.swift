import Glibc

/// The filter around a category's centre (Bettouche et al. 2024): the probability that a text at
/// distance d should be reconsidered as one of the category's.
///
///     RP(d) = 100 exp(-k (d - d_c)),   k = ln 2 / (median distance of outside items - d_c)
///
/// d_c is the category's radius. RP is 100 within it, and 50 for the median of outside items.
package struct ReconsiderationFilter: Sendable, Equatable {
  /// What the radius of a category is.
  package enum RadiusRule: String, Sendable, CaseIterable {
    /// `max`: the largest distance of its items to the centre. `q90`: the distance that nine of ten
    /// do not exceed. `mean`: the mean distance.
    case max, q90, mean
  }

  /// d_c.
  package let radius: Float
  /// The median distance of items outside the category.
  package let median: Float
  /// k.
  package let decay: Float

  /// The least difference of median and radius, as a share of the radius. Categories as wide as all
  /// items together have a median that is less than their radius.
  private static let leastGap: Float = 0.05

  /// - Parameters:
  ///   - members: distances of the category's items, at least one.
  ///   - outside: distances of all other items, at least one.
  package init(members: [Float], outside: [Float], rule: RadiusRule) {
    let sorted = members.sorted()
    switch rule {
    case .max: radius = sorted[sorted.count - 1]
    case .q90: radius = Self.quantile(sorted, 0.9)
    case .mean: radius = members.reduce(0, +) / Float(members.count)
    }
    median = Self.quantile(outside.sorted(), 0.5)
    let gap = Swift.max(median - radius, Self.leastGap * radius, .leastNormalMagnitude)
    decay = logf(2) / gap
  }

  /// A quantile by linear interpolation.
  private static func quantile(_ sorted: [Float], _ share: Float) -> Float {
    let place = share * Float(sorted.count - 1)
    let low = Int(place)
    let high = Swift.min(low + 1, sorted.count - 1)
    return sorted[low] + (place - Float(low)) * (sorted[high] - sorted[low])
  }

  /// Whether outside items are mostly beyond the radius. If not, the filter tells little.
  package var separates: Bool { median > (1 + Self.leastGap) * radius }

  /// RP, from 0 to 100.
  package func probability(_ distance: Float) -> Float {
    100 * expf(-Swift.max(0, decay * (distance - radius)))
  }
}
