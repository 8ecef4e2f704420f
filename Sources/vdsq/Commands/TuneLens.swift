import ArgumentParser
import VDSQ
import VDSQConversion
import VDSQFiles
import VDSQFormat
import VDSQInference
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
    let (encoder, layersAtATime) = try encoder()
    let fit = try TunedLensFit(
      encoder, texts: try ReferenceTexts.read(texts, field: field), layersAtATime: layersAtATime)
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

  /// The bytes that the fit may take without a memory budget.
  private static let unlimitedBytes = 512 << 20

  /// The encoder, and a number of layers whose moments fit beside it into the budget. Texts are cut
  /// only if there is no room for one layer.
  private func encoder() throws(VDSQError) -> (TextEncoder, layersAtATime: Int) {
    let file = try Container(path: model, kind: .model, decoding: .noWeights)
    let architecture = try Architecture(file.metadata)
    let hasBudget = try encoding.memory.bytes() != nil
    var layers = max(1, architecture.layers)
    while true {
      let bytes = TunedLensFit.bytes(layersAtATime: layers, dimensions: architecture.hiddenSize)
      if layers == 1 || hasBudget || bytes <= Self.unlimitedBytes {
        do {
          let encoder = try encoding.encoder(
            model, more: bytes, morePerToken: architecture.bytesOfStates,
            onCut: layers == 1 ? EncoderOptions.warnings(quiet) : nil)
          return (encoder, layers)
        } catch where error.category == .budgetTooSmall && layers > 1 {}
      }
      layers = (layers + 1) / 2
    }
  }
}
