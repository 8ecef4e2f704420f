import ArgumentParser
import VDSQCheckpoints
import VDSQFormat
import VDSQInference
import VDSQStreams
import VDSQTokenizers

/// Where texts come from: standard input, a text a line or a JSON object a line.
struct InputOptions: ParsableArguments {
  @Option(help: "Standard input is JSON Lines; the text is in this field.")
  var field: String?

  @Flag(help: "Refuse invalid UTF-8 instead of replacing it.")
  var strict = false

  /// Calls `body` with each text, and `pause` before waiting for input that is not there yet.
  func forEachText(
    _ body: (_ text: UnsafeRawBufferPointer, _ line: LineReader.Line) throws(VDSQError) -> Void,
    pause: () throws(VDSQError) -> Void
  ) throws(VDSQError) {
    let reader = LineReader(descriptor: 0, name: "standard input")
    while let line = try reader.next() {
      if let field {
        let text = Array(try Self.text(of: line, field: field).utf8)
        try text.withBytes { (raw) throws(VDSQError) in try body(raw, line) }
      } else {
        try body(line.bytes, line)
      }
      if !reader.hasBufferedLine { try pause() }
    }
    try pause()
  }

  /// - Throws: `badInput` for invalid UTF-8 where `--strict` asks for it.
  func refuseInvalid(
    _ text: UnsafeRawBufferPointer, _ line: LineReader.Line
  ) throws(VDSQError) {
    if strict, UTF8Decoder.replacements(in: text) > 0 {
      throw .badInput("line \(line.number): the text is not valid UTF-8")
    }
  }

  private static func text(of line: LineReader.Line, field: String) throws(VDSQError) -> String {
    let context = "line \(line.number)"
    guard !line.cut else {
      throw .badInput("\(context): longer than \(LineReader.longestLine) bytes of JSON")
    }
    guard let text = try JSON(parsing: line.bytes, context: context)[field]?.text else {
      throw .badInput("\(context): no text in the field \(field)")
    }
    return text
  }
}
