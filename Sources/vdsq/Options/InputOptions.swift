import ArgumentParser
import VDSQStreams
import VDSQ
import VDSQTraining

/// Reads texts from standard input: one text per line, or one JSON object per line.
struct InputOptions: ParsableArguments {
  @Option(help: "Read JSON Lines; the text is in this field.")
  var field: String?

  @Flag(help: "Refuse invalid UTF-8 instead of replacing it.")
  var strict = false

  private var reader: TextReader {
    let lines = LineReader(descriptor: 0, name: "standard input")
    guard let field else { return TextReader(lines, isStrict: strict) }
    return TextReader(jsonLines: lines, field: field, isStrict: strict)
  }

  /// Calls `body` with each text, and `pause` before waiting for input.
  func forEachText(
    _ body: (_ text: UnsafeRawBufferPointer, _ line: LineReader.Line) throws(VDSQError) -> Void,
    pause: () throws(VDSQError) -> Void
  ) throws(VDSQError) {
    try reader.forEach(body, pause: pause)
  }
}
