/// The elements of the highest scores, best first; of equal ones those that came first. Takes the
/// memory of `capacity` elements, and time linear in them to add one.
package struct TopRanking<Element> {
  package private(set) var entries: [(element: Element, score: Float)] = []
  private let capacity: Int

  package init(capacity: Int) { self.capacity = capacity }

  /// Whether an element of this score would be kept.
  package func accepts(_ score: Float) -> Bool {
    entries.count < capacity || (capacity > 0 && entries[entries.count - 1].score < score)
  }

  /// Adds an element, and drops the last one if there are too many.
  package mutating func add(_ element: Element, score: Float) {
    guard accepts(score) else { return }
    if entries.count == capacity { entries.removeLast() }
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].score < score { high = middle } else { low = middle + 1 }
    }
    entries.insert((element, score), at: low)
  }
}
