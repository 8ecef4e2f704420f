/// The states of the last texts of a stream that differ from each other, in bounded memory.
package struct RecentStates {
  package let dimensions: Int
  /// The maximum number of states.
  package let capacity: Int
  /// `[count, dimensions]`: a ring once it is full.
  private var values: [Float] = []
  private var digests: [UInt64] = []
  /// The row of the oldest state once the ring is full.
  private var oldest = 0

  package var count: Int { digests.count }

  package init(dimensions: Int, capacity: Int) {
    (self.dimensions, self.capacity) = (dimensions, capacity)
  }

  /// Adds states, each of which replaces the oldest one if there is no room. Equal ones are left
  /// out, because a line that repeats says nothing about the others.
  ///
  /// - Parameter states: whole rows of `dimensions` floats.
  package mutating func add(_ states: [Float]) {
    for start in stride(from: 0, to: states.count, by: dimensions) {
      let state = states[start..<start + dimensions]
      let digest = Self.digest(state)
      guard !digests.contains(digest) else { continue }
      if count < capacity {
        values += state
        digests.append(digest)
      } else {
        values.replaceSubrange(oldest * dimensions..<(oldest + 1) * dimensions, with: state)
        digests[oldest] = digest
        oldest = (oldest + 1) % capacity
      }
    }
  }

  /// `[count, dimensions]`, the oldest first.
  package var rows: [Float] {
    Array(values[(oldest * dimensions)...] + values[..<(oldest * dimensions)])
  }

  /// FNV-1a of a state's bits, word by word.
  private static func digest(_ state: ArraySlice<Float>) -> UInt64 {
    state.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01b3 }
  }
}
