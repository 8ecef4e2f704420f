package import VDSQStreams

/// A text of a stream, and where it is from. It is valid until the next one is read.
package struct TextRecord {
  /// UTF-8, which may be invalid. Of a pair, the first text, a tab, and the second one.
  package let text: UnsafeRawBufferPointer
  /// The length of the first text of a pair; nil if there is one text.
  package var firstLength: Int?
  /// The number of its line, counted from 1.
  package let line: Int
  /// Whether the reader dropped the end of the line.
  package let isCut: Bool
  /// Whether a part of the text is not valid UTF-8 and counts as U+FFFD.
  package let isReplaced: Bool
  /// The fields of its JSON record, the text first; nil if lines are texts.
  package let fields: RecordFields?

  /// The text, or the first one of a pair.
  package var first: UnsafeRawBufferPointer {
    firstLength.map { UnsafeRawBufferPointer(rebasing: text[..<$0]) } ?? text
  }

  /// The second text of a pair.
  package var second: UnsafeRawBufferPointer? {
    firstLength.map { UnsafeRawBufferPointer(rebasing: text[($0 + 1)...]) }
  }
}
