import Glibc

/// The buckets of distances of T5 (Raffel et al. 2020) and MPNet: half of them for each direction;
/// half of those for one distance each, the others for ranges that grow logarithmically.
enum DistanceBuckets {
  /// The number of buckets.
  static let count = 32
  /// The distance from which on all distances are in one bucket.
  static let limit = 128

  /// The row of a distance in DeBERTa's table (He et al. 2021): short distances have one each, the
  /// others share rows in ranges that grow logarithmically.
  ///
  /// - Parameters:
  ///   - distance: the place of the query less that of the key.
  ///   - buckets: rows of each direction; nil for one for each distance up to `longest`.
  static func row(of distance: Int, buckets: Int?, longest: Int) -> Int {
    let span = buckets ?? longest
    var place = distance
    if let buckets {
      let middle = buckets / 2
      if abs(distance) > middle {
        // In single precision, as in transformers.
        let share =
          logf(Float(abs(distance)) / Float(middle)) / logf(Float(longest - 1) / Float(middle))
        let log = Int((share * Float(middle - 1)).rounded(.up)) + middle
        place = distance > 0 ? log : -log
      }
    }
    return max(0, min(2 * span - 1, place + span))
  }

  /// The bucket of a distance, the place of the key less that of the query.
  static func bucket(of distance: Int) -> Int {
    let half = count / 2, exact = half / 2
    let n = abs(distance)
    var bucket = n
    if n >= exact {
      // In single precision, as in transformers.
      let share = logf(Float(n) / Float(exact)) / Float(log(Double(limit) / Double(exact)))
      bucket = min(half - 1, exact + Int(share * Float(half - exact)))
    }
    return bucket + (distance > 0 ? half : 0)
  }
}
