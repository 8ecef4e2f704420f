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

  /// The moments that are kept without a memory budget, in bytes.
  private static let momentBytes = 512 << 20

  /// The encoder, and the most layers whose moments fit beside it into the budget. Texts are cut
  /// only if there is no room for one layer.
  private func encoder() throws(VDSQError) -> (TextEncoder, layersAtATime: Int) {
    let file = try Container(path: model, kind: .model, decoding: .noWeights)
    let architecture = try Architecture(file.metadata)
    let perToken = try file.bytesOfStates()
    let hasBudget = try encoding.memory.bytes() != nil
    var passes = 1
    while true {
      let layers = (architecture.layers + passes - 1) / max(1, passes)
      let bytes = TunedLensFit.bytes(
        layersAtATime: max(1, layers), dimensions: architecture.hiddenSize)
      let isLast = layers <= 1
      if isLast || hasBudget || bytes <= Self.momentBytes {
        do {
          return (
            try encoding.encoder(
              model, more: bytes, morePerToken: perToken,
              onCut: isLast ? EncoderOptions.warnings(quiet) : nil), max(1, layers)
          )
        } catch where error.category == .budgetTooSmall && !isLast {}
      }
      passes += 1
    }
  }
}
