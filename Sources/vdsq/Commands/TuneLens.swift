import ArgumentParser
import VDSQ
import VDSQConversion
import VDSQFiles
import VDSQMeasurement
import VDSQReports

struct TuneLens: Command {
  static let configuration = CommandConfiguration(
    abstract: "Fits a tuned lens: what each layer would say if it were the last one.",
    discussion: """
      Learns an affine map for each layer of a language model, from its states to those of the \
      last layer, by ridge regression over the texts. vdsq lens --tuned uses it. Ten times as many \
      tokens as the model has dimensions are a good number.
      """)

  @Argument(help: "The .vdsq file of a causal or masked language model.", completion: .file())
  var model: String

  @Argument(help: "A file of texts, one per line, or .jsonl.", completion: .file())
  var texts: String

  @Option(help: "The field of the text in .jsonl.")
  var field = "text"

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(help: "Write the report as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, texts], outputs: [output], replaces: force)
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let fit = try TunedLensFit(
      try encoding.encoder(model, onCut: EncoderOptions.warnings(quiet)),
      texts: try ReferenceTexts.read(texts, field: field))
    let bar = ProgressBar("fitting the lens", quiet: quiet)
    defer { bar.end() }
    let (layers, tokens, bytes) = try fit.write(to: output, replace: force) {
      bar.show(Int($0 * 1000), of: 1000)
    }
    bar.end()
    try print(
      TunedLensReport(
        layers, tokens: tokens, output: output, bytes: bytes, seconds: Timing.now() - start),
      json: json)
  }
}
