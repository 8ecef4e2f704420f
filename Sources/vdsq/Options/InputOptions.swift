import ArgumentParser
import VDSQStreams
import VDSQ

/// Reads texts from standard input: one text per line, or one JSON object per line.
struct InputOptions: ParsableArguments {
  @Option(
    help: "Read JSON Lines; the text is in this field, or in one inside others: message.body.")
  var field: String?

  @Option(
    help: """
      Copy these fields of each JSON record to its answer: id,meta.date; with another name: \
      key=id. JSON values are copied as they are.
      """)
  var pass: String?

  @Flag(help: "Write the line number and the text of each record with its answer.")
  var echo = false

  @Flag(
    help: """
      Stop at the first record that cannot be read, or is not valid UTF-8. The answers before it \
      are written.
      """)
  var strict = false

  /// Whether answers have more than their own members.
  var isTagged: Bool { echo || pass != nil }

  /// The records of standard input.
  ///
  /// - Parameters:
  ///   - json: whether answers are JSON objects.
  ///   - answer: the names of their members.
  ///   - echoes: whether answers have line number and text without `--echo` too.
  ///   - pair: whether a record has two texts.
  ///   - secondField: the field with the second text.
  /// - Throws: `usage` for fields that cannot be read or copied.
  func records(
    json: Bool, quiet: Bool = false, output: OutputBuffer = OutputBuffer(descriptor: 1),
    answer: [StaticString], echoes: Bool = false, pair: Bool = false, secondField: String? = nil
  ) throws(VDSQError) -> RecordStream {
    var options = RecordStream.Options()
    options.reading.isStrict = strict
    if let field { options.reading.field = try FieldPath(field) }
    options.reading.isPair = pair
    if let secondField { options.reading.secondField = try FieldPath(secondField) }
    if let pass { options.reading.pass = try FieldPath.list(pass) }
    options.echoes = echo || echoes
    options.json = json
    options.isQuiet = quiet
    try options.check(answer: answer)
    return RecordStream(
      LineReader(descriptor: 0, name: "standard input"), options: options, output: output,
      program: "vdsq")
  }
}
