/// Collects approximately the `wanted` best scores, faster than a heap. Scores above a threshold
/// are appended, and the threshold rises each time the buffer is full.
public struct Candidates {
  /// The number of best scores to keep, at least 1.
  public let wanted: Int
  /// The number of candidates in the buffer, at most `capacity(wanted)`.
  public private(set) var count = 0
  /// The score that a candidate must exceed to be appended.
  public private(set) var threshold = -Float.infinity
  private let capacity: Int
  private let scores: UnsafeMutablePointer<Float>
  /// The ids of the candidates; the first `count` are valid.
  public let ids: UnsafeMutablePointer<Int32>

  /// The buffer size for a number of candidates.
  public static func capacity(_ wanted: Int) -> Int { 2 * wanted + 1024 }

  /// - Parameters:
  ///   - scores: a buffer for `capacity(wanted)` scores; `ids` likewise.
  public init(
    wanted: Int, scores: UnsafeMutablePointer<Float>, ids: UnsafeMutablePointer<Int32>
  ) {
    self.wanted = wanted
    capacity = Self.capacity(wanted)
    self.scores = scores
    self.ids = ids
  }

  /// Appends a score above the threshold and ignores any other, NaN among them. A full buffer is
  /// pruned first.
  public mutating func append(_ score: Float, _ id: Int32) {
    guard score > threshold else { return }
    if count == capacity {
      prune()
      guard score > threshold else { return }
    }
    scores[count] = score
    ids[count] = id
    count += 1
  }

  /// Removes all candidates and sets the threshold.
  public mutating func removeAll(threshold: Float = -.infinity) {
    count = 0
    self.threshold = threshold
  }

  /// Keeps the `wanted` best, in no order.
  public mutating func prune() {
    guard count > wanted else { return }
    threshold = score(rank: wanted)
    count = wanted
  }

  /// The score of a rank; 1 is the best. A rank beyond the last candidate means the last.
  /// Afterwards the best `rank` candidates come first (Hoare's selection).
  public mutating func score(rank: Int) -> Float {
    guard count > 0 else { return -.infinity }
    let target = min(rank, count) - 1
    var low = 0, high = count - 1
    while low < high {
      let pivot = scores[(low + high) / 2]
      var i = low, j = high
      while i <= j {
        while scores[i] > pivot { i += 1 }
        while scores[j] < pivot { j -= 1 }
        if i <= j {
          (scores[i], scores[j]) = (scores[j], scores[i])
          (ids[i], ids[j]) = (ids[j], ids[i])
          i += 1
          j -= 1
        }
      }
      if target <= j { high = j } else if target >= i { low = i } else { break }
    }
    return scores[target]
  }
}
