import ArgumentParser
import VDSQ
import VDSQStreams

/// Options of the commands that answer by the head that a model was trained with.
struct OwnHeadOptions: ParsableArguments {
  @Flag(help: "Write one JSON object per line.")
  var json = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(name: .shortAndLong, help: "No warnings.")
  var quiet = false

  /// The records of standard input.
  ///
  /// - Parameters:
  ///   - answer: the names of the members of an answer.
  ///   - echoes: whether answers have line number and text without `--echo` too.
  /// - Throws: `usage` for fields that cannot be read or copied.
  func records(
    answer: [StaticString], echoes: Bool = false
  ) throws(VDSQError) -> RecordStream {
    try input.records(json: json, quiet: quiet, answer: answer, echoes: echoes)
  }

  /// How the model is run.
  ///
  /// - Throws: `usage` if the budget is not a number of bytes.
  func run() throws(VDSQError) -> RunOptions { try encoding.run(quiet: quiet) }
}
