package import VDSQFormat
package import VDSQStreams
import VDSQTokenizers

/// Reads texts from lines in constant memory: a text per line, or the text in each line's record.
///
///     let reader = TextReader(LineReader(descriptor: 0, name: "standard input"))
///     try reader.forEach(
///       { (text, line) throws(VDSQError) in try stream.add(text, source: line.number, cut: line.cut) },
///       pause: { () throws(VDSQError) in try stream.flush() })
package final class TextReader {
  /// Takes the text out of a line.
  package typealias Extraction = (LineReader.Line) throws(VDSQError) -> [UInt8]

  private let lines: LineReader
  private let isStrict: Bool
  private let extract: Extraction?

  /// - Parameters:
  ///   - isStrict: whether a text that is not valid UTF-8 is an error; otherwise it is passed on as
  ///     it is.
  ///   - extracting: extracts the text of a line; nil if lines are texts.
  package init(_ lines: LineReader, isStrict: Bool = false, extracting: Extraction? = nil) {
    self.lines = lines
    self.isStrict = isStrict
    extract = extracting
  }

  /// Reads all texts.
  ///
  /// - Parameters:
  ///   - body: called with each text, and the line that it is from.
  ///   - pause: called before waiting for input, and at the end: collected texts should be answered
  ///     now.
  /// - Throws: `missingInput` if reading fails; `badInput`, naming the line, if a text is not valid
  ///   UTF-8 and the reader is strict; what `extracting`, `body` and `pause` throw.
  package func forEach(
    _ body: (_ text: UnsafeRawBufferPointer, _ line: LineReader.Line) throws(VDSQError) -> Void,
    pause: () throws(VDSQError) -> Void
  ) throws(VDSQError) {
    while let line = try lines.next() {
      if let extract {
        let text = try extract(line)
        try text.withBytes { (text) throws(VDSQError) in
          try check(text, line)
          try body(text, line)
        }
      } else {
        try check(line.bytes, line)
        try body(line.bytes, line)
      }
      if !lines.hasBufferedLine { try pause() }
    }
    try pause()
  }

  private func check(_ text: UnsafeRawBufferPointer, _ line: LineReader.Line) throws(VDSQError) {
    if isStrict, UTF8Decoder.replacements(in: text) > 0 {
      throw .badInput("line \(line.number): the text is not valid UTF-8")
    }
  }
}
