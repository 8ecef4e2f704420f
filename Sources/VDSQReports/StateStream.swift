package import VDSQ
package import VDSQFormat
package import VDSQInference
import VDSQSemantics
import VDSQStreams

/// The states of the texts of a stream, batch by batch, each with what identifies its record.
package struct StateStream {
  private let records: RecordStream
  private let encoder: TextEncoder
  private let isTagged: Bool

  /// - Parameter isTagged: whether answers have more than their own members.
  package init(_ records: RecordStream, encoder: TextEncoder, isTagged: Bool) {
    self.records = records
    self.encoder = encoder
    self.isTagged = isTagged
  }

  /// Calls `body` with each state, in order, and flushes the output behind each batch.
  ///
  /// - Parameter failed: called in the place of a state for each failed record.
  /// - Throws: the errors of the stream and of the closures.
  package func forEach(
    _ body: (UnsafePointer<Float>, AnswerTags) throws(VDSQError) -> Void,
    failed: () throws(VDSQError) -> Void = {}
  ) throws(VDSQError) {
    var blanks: [Bool] = []
    var texts = try TextTemplate(nil, encoder: encoder)
    func flush() throws(VDSQError) {
      guard encoder.count > 0 else { return }
      try encoder.encode { (index, state) throws(VDSQError) in
        let tags = isTagged ? records.tags : nil
        try body(state, AnswerTags(tags: tags, index: index, isBlank: blanks[index]))
        try records.output.flushIfLong()
      }
      blanks.removeAll(keepingCapacity: true)
      records.tags.removeAll()
      try records.output.flush()
    }
    try records.forEach(
      { (record) throws(VDSQError) in
        if !encoder.hasRoom || records.tags.isLong { try flush() }
        records.tags.add(record)
        let added = texts.add(record.text, to: encoder)
        blanks.append(added.isBlank)
        if added.isCut || record.isCut { records.counts.truncated += 1 }
      }, pause: flush, failed: failed)
    try records.end(maximumTokens: encoder.maximumTokens)
  }
}
