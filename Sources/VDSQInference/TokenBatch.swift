/// Token sequences one after another, without padding: every token is work that counts.
public struct TokenBatch: Sendable {
  public var ids: [Int32] = []
  /// Where each sequence ends in `ids`.
  public private(set) var ends: [Int] = []

  public init() {}

  public var sequences: Int { ends.count }

  /// Makes what was appended to `ids` since the last call a sequence.
  public mutating func endSequence() { ends.append(ids.count) }

  public func range(_ sequence: Int) -> Range<Int> {
    (sequence == 0 ? 0 : ends[sequence - 1])..<ends[sequence]
  }

  public mutating func removeAll() {
    ids.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }
}
