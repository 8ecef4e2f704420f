import VDSQFormat

/// Token ids up to a capacity. Ids that do not fit only set `overflowed`.
struct TokenBuffer {
  private(set) var ids: [Int32] = []
  private(set) var capacity = 0
  private(set) var overflowed = false

  mutating func append(_ id: Int32) {
    if ids.count < capacity { ids.append(id) } else { overflowed = true }
  }

  /// Removes what was appended since an earlier state of the buffer.
  mutating func restore(count: Int, overflowed: Bool) {
    ids.removeLast(ids.count - count)
    self.overflowed = overflowed
  }

  mutating func reset(capacity: Int) {
    ids.removeAll(keepingCapacity: true)
    self.capacity = capacity
    overflowed = false
  }
}
