/// About the `wanted` best scores seen so far, collected faster than a heap would: they are appended
/// above a threshold that rises each time the room is full.
public struct Candidates {
  public let wanted: Int
  public private(set) var count = 0
  /// What a score must exceed to be worth appending.
  public private(set) var threshold = -Float.infinity
  private let capacity: Int
  private let scores: UnsafeMutablePointer<Float>
  public let ids: UnsafeMutablePointer<Int32>

  /// How much room a number of candidates takes.
  public static func capacity(_ wanted: Int) -> Int { 2 * wanted + 1024 }

  /// - Parameters:
  ///   - scores: room for `capacity(wanted)` scores; `ids` likewise.
  public init(
    wanted: Int, scores: UnsafeMutablePointer<Float>, ids: UnsafeMutablePointer<Int32>
  ) {
    self.wanted = wanted
    capacity = Self.capacity(wanted)
    self.scores = scores
    self.ids = ids
  }

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

  /// Starts again, with a threshold known from elsewhere.
  public mutating func removeAll(threshold: Float = -.infinity) {
    count = 0
    self.threshold = threshold
  }

  /// Leaves the `wanted` best, in no order.
  public mutating func prune() {
    guard count > wanted else { return }
    threshold = score(rank: wanted)
    count = wanted
  }

  /// The score of a rank, 1 for the best; at most as many as there are are looked at, and they are
  /// the first from then on (Hoare's selection).
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
