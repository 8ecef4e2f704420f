package import VDSQStreams

/// A text of a stream, and where it is from. It is valid until the next one is read.
package struct TextRecord {
  /// UTF-8, which may be invalid.
  package let text: UnsafeRawBufferPointer
  /// The number of its line, counted from 1.
  package let line: Int
  /// Whether the reader dropped the end of the line.
  package let isCut: Bool
  /// Whether a part of the text is not valid UTF-8 and counts as U+FFFD.
  package let isReplaced: Bool
  /// The fields of its JSON record, the text first; nil if lines are texts.
  package let fields: RecordFields?
}
