import VDSQSemantics

/// A few examples of each label (shots), drawn at random.
package struct FewShotSample: Sendable {
  /// Indices of the examples, label by label.
  package let members: [Int]

  /// - Parameters:
  ///   - targets: the label of each example.
  ///   - count: the number of examples per label. A label with fewer gives all of them.
  ///   - seed: the same seed draws the same examples, and a larger sample begins with the smaller
  ///     one.
  package init(_ targets: [Int], labels: Int, count: Int, seed: UInt64) {
    var members: [Int] = []
    for label in 0..<labels {
      var own = targets.indices.filter { targets[$0] == label }
      var random = SplitMix64(seed: seed &* 0x1000_0001 &+ UInt64(label))
      for i in 0..<min(count, own.count) {
        own.swapAt(i, Int.random(in: i..<own.count, using: &random))
      }
      members += own.prefix(count)
    }
    self.members = members
  }
}
