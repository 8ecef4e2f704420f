/// A few examples of each label (shots), drawn at random.
public struct FewShotSample: Sendable {
  /// Indices of the examples, label by label.
  public let members: [Int]

  /// - Parameters:
  ///   - targets: each example's label.
  ///   - count: how many of each label; of one that has fewer, all.
  ///   - seed: the same seed draws the same examples, and more shots draw those of fewer first.
  public init(_ targets: [Int], labels: Int, count: Int, seed: UInt64) {
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
