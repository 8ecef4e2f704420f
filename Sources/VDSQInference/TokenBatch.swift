import VDSQFormat

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

  /// - Throws: `internalFault` where the batch exceeds a plan, `badInput` where an id is in no row of the
  ///   embedding table.
  func check(
    tokens: Int, sequences: Int, vocabulary: Int, path: String
  ) throws(VDSQError) {
    guard ids.count <= tokens, self.sequences <= sequences else {
      throw VDSQError(.internalFault, "a batch of \(ids.count) tokens exceeds the memory plan")
    }
    for id in ids where id < 0 || id >= vocabulary {
      throw .badInput("\(path): token id \(id) is not in the embedding table")
    }
  }

  public mutating func removeAll() {
    ids.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }
}
