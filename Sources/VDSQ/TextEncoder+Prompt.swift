import VDSQFormat
import VDSQInference
import VDSQTokenizers

extension TextEncoder {
  /// The special tokens that the tokenizer puts before a text.
  var beginning: [Int32] {
    var ids: [Int32] = []
    _ = tokenizer.encode(
      UnsafeRawBufferPointer(start: nil, count: 0), limit: 1 << 20, into: &ids)
    return Array(ids.prefix(tokenizer.frameLengths.before))
  }

  /// The token from which the first one of a text is predicted; nil if the file does not say.
  ///
  /// - Throws: `badInput` if the file's metadata are malformed.
  package func firstToken() throws(VDSQError) -> Int32? {
    try TextBoundaries(container.metadata, vocabularySize: vocabularySize).beginning
      ?? beginning.first
  }

  /// The ids of a text of any length, without what the tokenizer puts behind it.
  ///
  /// - Parameters:
  ///   - beginning: special tokens that precede it, unless it begins with them already.
  ///   - ids: receives the ids.
  package func ids(
    of text: UnsafeRawBufferPointer, behind beginning: [Int32], into ids: inout [Int32]
  ) {
    ids.removeAll(keepingCapacity: true)
    _ = tokenizer.encode(text, limit: .max >> 1, framed: false, into: &ids)
    if let first = beginning.first, ids.first != first {
      ids.insert(contentsOf: beginning, at: 0)
    }
  }
}
