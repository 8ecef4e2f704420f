package import VDSQ
import VDSQStreams

/// What identifies the record of an answer in a batch, if that is written.
package struct AnswerTags {
  /// No record.
  package static var none: AnswerTags { AnswerTags(tags: nil, index: 0, isBlank: false) }

  private let tags: RecordTags?
  private let index: Int
  /// Whether the text has nothing to read.
  let isBlank: Bool

  /// - Parameters:
  ///   - tags: the records of the batch; nil if nothing of them is written.
  ///   - index: the record's place in the batch.
  ///   - isBlank: whether its text has nothing to read.
  package init(tags: RecordTags?, index: Int, isBlank: Bool) {
    self.tags = tags
    self.index = index
    self.isBlank = isBlank
  }

  /// Writes the value of an answer: alone, or as a member behind what identifies the record.
  func write(_ name: String, _ json: JSONWriter, _ value: () -> Void) {
    guard let tags else { return value() }
    json.object {
      tags.writeMembers(of: index, to: json)
      json.key(name)
      value()
    }
  }

  /// Writes what identifies the record into the open object.
  func writeMembers(to json: JSONWriter) { tags?.writeMembers(of: index, to: json) }

  /// Writes what identifies the record, in columns behind the answer.
  func writeColumns(to output: OutputBuffer) { tags?.writeColumns(of: index, to: output) }
}
