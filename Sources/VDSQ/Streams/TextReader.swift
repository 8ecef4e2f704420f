package import VDSQFormat
package import VDSQStreams

/// Reads texts from lines in constant memory: a text per line, or the text in a field of each
/// line's JSON record. A record that cannot be read does not end the stream.
package final class TextReader {
  /// Where texts are in lines.
  package struct Options: Sendable {
    /// The field of JSON records with the text. Nil if each line is a text. Blank lines between
    /// JSON records are skipped.
    package var field: FieldPath?
    /// Whether a record has two texts: in the fields `field` and `secondField`, or on both sides of
    /// the first tab of a line.
    package var isPair = false
    /// The field of JSON records with the second text of a pair.
    package var secondField: FieldPath?
    /// More fields of JSON records to read.
    package var pass: [FieldPath] = []
    /// Whether a text that is not valid UTF-8 is an error.
    package var isStrict = false

    /// Each line is a text.
    package init() {}
  }

  /// A record that cannot be read.
  package struct Failure {
    /// The number of its line, counted from 1.
    package let line: Int
    /// What is wrong, without the line.
    package let error: VDSQError
    /// The fields of the record; nil if lines are texts.
    package let fields: RecordFields?
  }

  private let lines: LineReader
  private let isStrict: Bool
  private let isPair: Bool
  private let fields: RecordFields?
  private var buffer: [UInt8] = []

  package init(_ lines: LineReader, options: Options = Options()) {
    self.lines = lines
    isStrict = options.isStrict
    isPair = options.isPair
    fields = options.field.map {
      if let second = options.secondField {
        RecordFields([$0, second] + options.pass, texts: 2)
      } else {
        RecordFields([$0] + options.pass)
      }
    }
  }

  /// Reads all texts.
  ///
  /// - Parameters:
  ///   - body: called with each text.
  ///   - failed: called with each record that cannot be read.
  ///   - pause: called before waiting for input, and at the end: collected texts should be answered
  ///     now.
  /// - Throws: `missingInput` if reading fails, after a pause; what `body`, `failed` and `pause`
  ///   throw.
  package func forEach(
    _ body: (TextRecord) throws(VDSQError) -> Void,
    failed: (Failure) throws(VDSQError) -> Void,
    pause: () throws(VDSQError) -> Void
  ) throws(VDSQError) {
    while let line = try next(pause) {
      if fields == nil || !TextFile.isBlank(line.bytes) { try read(line, body, failed) }
      if !lines.hasBufferedLine { try pause() }
    }
    try pause()
  }

  private func next(
    _ pause: () throws(VDSQError) -> Void
  ) throws(VDSQError) -> LineReader.Line? {
    do throws(VDSQError) {
      return try lines.next()
    } catch {
      try pause()
      throw error
    }
  }

  private func read(
    _ line: LineReader.Line, _ body: (TextRecord) throws(VDSQError) -> Void,
    _ failed: (Failure) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    guard let fields else {
      let isReplaced = UTF8Decoder.replacements(in: line.bytes) > 0
      if isStrict, isReplaced {
        return try failed(Failure(line: line.number, error: Self.invalid, fields: nil))
      }
      var record = TextRecord(
        text: line.bytes, line: line.number, isCut: line.cut, isReplaced: isReplaced,
        fields: nil)
      if isPair {
        guard let tab = line.bytes.firstIndex(of: UInt8(ascii: "\t")) else {
          let error = VDSQError.badInput("no tab between two texts")
          return try failed(Failure(line: line.number, error: error, fields: nil))
        }
        record.firstLength = tab
      }
      return try body(record)
    }
    let isReplaced: Bool
    var firstLength: Int?
    do throws(VDSQError) {
      isReplaced = try extract(line, fields, &firstLength)
    } catch {
      return try failed(Failure(line: line.number, error: error, fields: fields))
    }
    try buffer.withBytes { (text) throws(VDSQError) in
      var record = TextRecord(
        text: text, line: line.number, isCut: false, isReplaced: isReplaced, fields: fields)
      record.firstLength = firstLength
      try body(record)
    }
  }

  /// Reads a record, and its text into the buffer; returns whether a part of it is replaced.
  private func extract(
    _ line: LineReader.Line, _ fields: RecordFields, _ firstLength: inout Int?
  ) throws(VDSQError) -> Bool {
    guard !line.cut else {
      fields.forget()
      throw .badInput("longer than \(LineReader.longestLine) bytes of JSON")
    }
    try fields.read(line.bytes)
    buffer.removeAll(keepingCapacity: true)
    var halves = try fields.text(0, into: &buffer)
    if fields.texts > 1 {
      firstLength = buffer.count
      buffer.append(UInt8(ascii: "\t"))
      halves += try fields.text(1, into: &buffer)
    }
    let isReplaced = halves + buffer.withUnsafeBytes { UTF8Decoder.replacements(in: $0) } > 0
    if isStrict, isReplaced { throw Self.invalid }
    return isReplaced
  }

  private static var invalid: VDSQError { .badInput("the text is not valid UTF-8") }
}
