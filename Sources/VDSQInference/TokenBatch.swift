import VDSQFormat

/// Token sequences one after another, without padding, so that no work is wasted.
package struct TokenBatch: Sendable {
  /// The token ids of all sequences, one after another. Append a sequence's ids, then end it.
  package var ids: [Int32] = []
  /// The end of each sequence in `ids`.
  package private(set) var ends: [Int] = []
  /// For each sequence, the position in `ids` at which a masked language model reads its state.
  private(set) var statePositions: [Int] = []
  /// For each sequence, the one whose tokens precede its own in the same text; nil for none.
  private(set) var preceding: [Int?] = []
  /// For each sequence, the number of tokens that precede its own in the same text.
  private(set) var offsets: [Int] = []
  /// For each sequence, where the keys and values of its text are kept; nil if they are not.
  private(set) var places: [Int?] = []
  /// For each sequence, the position in `ids` from which on tokens have type 1.
  private(set) var secondStarts: [Int] = []

  /// An empty batch.
  package init() {}

  /// The number of sequences that have ended.
  package var sequences: Int { ends.count }

  /// Ends a sequence: the ids that were appended since the last call.
  ///
  /// - Parameters:
  ///   - statePosition: the position in `ids` at which a masked language model reads the sequence's
  ///     state; nil for its first token.
  ///   - other: the sequence that it continues; nil for none. Several sequences may continue the
  ///     same one, and do not see each other. Only a decoder reads them.
  ///   - secondStart: the position in `ids` from which on tokens have type 1; nil if none has.
  package mutating func endSequence(
    statePosition: Int? = nil, following other: Int? = nil, secondStart: Int? = nil
  ) {
    secondStarts.append(secondStart ?? ids.count)
    statePositions.append(statePosition ?? ends.last ?? 0)
    places.append(nil)
    preceding.append(other)
    offsets.append(other.map { offsets[$0] + range($0).count } ?? 0)
    ends.append(ids.count)
  }

  /// The positions in `ids` of a sequence that has ended. Takes constant time.
  package func range(_ sequence: Int) -> Range<Int> {
    (sequence == 0 ? 0 : ends[sequence - 1])..<ends[sequence]
  }

  /// - Throws: `internalFault` if the batch exceeds a plan, `badInput` if an id has no row in the
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

  /// Ends a sequence of tokens behind those of its text that were read before.
  ///
  /// - Parameters:
  ///   - place: where the keys and values of the text are kept, from 0 on.
  ///   - read: the number of its tokens that were read.
  package mutating func endSequence(inPlace place: Int, behind read: Int) {
    endSequence()
    places[sequences - 1] = place
    offsets[sequences - 1] = read
  }

  /// Empties the batch and keeps its memory for the next.
  package mutating func removeAll() {
    ids.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    statePositions.removeAll(keepingCapacity: true)
    preceding.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    offsets.removeAll(keepingCapacity: true)
    secondStarts.removeAll(keepingCapacity: true)
  }
}
