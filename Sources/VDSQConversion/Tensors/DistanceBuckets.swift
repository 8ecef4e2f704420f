import Glibc

/// The buckets of distances of T5 (Raffel et al. 2020) and MPNet: half of them for each direction;
/// half of those for one distance each, the others for ranges that grow logarithmically.
enum DistanceBuckets {
  /// The number of buckets.
  static let count = 32
  /// The distance from which on all distances are in one bucket.
  static let limit = 128

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
