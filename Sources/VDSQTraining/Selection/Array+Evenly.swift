extension Array {
  /// At most so many of the elements, evenly spread and in order.
  package func evenly(atMost most: Int) -> [Element] {
    let count = Swift.min(count, most)
    return (0..<count).map { self[$0 * self.count / count] }
  }
}
