/// The k best scores seen so far, in memory of the caller. A heap whose root is the worst of them.
///
/// Among equal scores the lower id is better, so results do not depend on the order of insertion.
public struct TopK {
  /// k, the number of scores to keep.
  public let capacity: Int
  /// The number of scores in the heap, 0...capacity.
  public private(set) var count = 0
  /// The score that a candidate must exceed to be inserted.
  public private(set) var threshold = -Float.infinity
  private let scores: UnsafeMutablePointer<Float>
  private let ids: UnsafeMutablePointer<Int32>

  /// - Parameters:
  ///   - capacity: k, at least 1.
  ///   - scores: a buffer for k scores; `ids` likewise.
  public init(
    capacity: Int, scores: UnsafeMutablePointer<Float>, ids: UnsafeMutablePointer<Int32>
  ) {
    self.capacity = capacity
    self.scores = scores
    self.ids = ids
  }

  /// Empties the heap and resets the threshold to minus infinity.
  public mutating func removeAll() {
    count = 0
    threshold = -.infinity
  }

  /// Inserts a score if it is among the k best. NaN is never inserted.
  public mutating func insert(_ score: Float, _ id: Int32) {
    if count < capacity {
      guard score == score else { return }
      scores[count] = score
      ids[count] = id
      count += 1
      siftUp(count - 1)
      if count == capacity { threshold = scores[0] }
    } else if score > scores[0] || (score == scores[0] && id < ids[0]) {
      scores[0] = score
      ids[0] = id
      siftDown(0, count)
      threshold = scores[0]
    }
  }

  /// Inserts the scores of another heap, which keeps them.
  public mutating func insert(contentsOf other: TopK) {
    for i in 0..<other.count { insert(other.scores[i], other.ids[i]) }
  }

  /// Calls `body` with the scores, best first, and empties the heap.
  public mutating func drain(_ body: (_ score: Float, _ id: Int32) -> Void) {
    // Sorts in place: the worst element moves to the end each time.
    var left = count
    while left > 1 {
      left -= 1
      swap(0, left)
      siftDown(0, left)
    }
    for i in 0..<count { body(scores[i], ids[i]) }
    removeAll()
  }

  private func isWorse(_ a: Int, _ b: Int) -> Bool {
    scores[a] < scores[b] || (scores[a] == scores[b] && ids[a] > ids[b])
  }

  private func swap(_ a: Int, _ b: Int) {
    (scores[a], scores[b]) = (scores[b], scores[a])
    (ids[a], ids[b]) = (ids[b], ids[a])
  }

  private func siftUp(_ start: Int) {
    var i = start
    while i > 0, isWorse(i, (i - 1) / 2) {
      swap(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  private func siftDown(_ start: Int, _ count: Int) {
    var i = start
    while true {
      var worst = i
      let left = 2 * i + 1
      if left < count, isWorse(left, worst) { worst = left }
      if left + 1 < count, isWorse(left + 1, worst) { worst = left + 1 }
      if worst == i { return }
      swap(i, worst)
      i = worst
    }
  }
}
