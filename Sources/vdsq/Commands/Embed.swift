import ArgumentParser
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQSemantics
import VDSQStreams

struct Embed: Command {
  static let configuration = CommandConfiguration(
    abstract: "Computes vectors of the texts on standard input.",
    discussion: """
      Writes a NumPy file with --output, or JSON Lines to standard output: {"embedding": [...]}, \
      or {"tokens": [...]} with --tokens. With --layers, a text has a state behind each layer: \
      before the final norm, and after it behind the last layer.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Option(
    name: .shortAndLong, help: "A .npy file to write: float32, one row per text.",
    completion: .file())
  var output: String?

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(help: "Write token ids instead of vectors.")
  var tokens = false

  @Option(
    help: """
      Write the states behind these layers instead: all, or numbers as 0,6,12; 0 is the \
      embeddings. They are pooled as the model pools, and not scaled: [texts, layers, dimensions].
      """)
  var layers: String?

  @Flag(
    help: "With --layers: the states of every token, [tokens of all texts, layers, dimensions].")
  var perToken = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions
  @OptionGroup var steering: SteeringOptions

  @Flag(help: "Write counts, time and peak memory to standard error at the end.")
  var stats = false

  @Flag(name: .shortAndLong, help: "No warnings.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(
      inputs: [model] + steering.files, outputs: [output], replaces: force,
      readsStandardInput: true)
  }

  func validate() throws {
    guard !tokens || output == nil else {
      throw ValidationError("--tokens writes JSON Lines to standard output; leave --output out")
    }
    guard !tokens || layers == nil else {
      throw ValidationError("--tokens goes without --layers; --per-token writes tokens' states")
    }
    guard encoding.dimensions == nil || (layers == nil && !tokens) else {
      throw ValidationError("--dimensions cuts vectors; leave it out with --layers and --tokens")
    }
    guard !perToken || layers != nil else {
      throw ValidationError("--per-token goes with --layers")
    }
    guard output == nil || !input.isTagged else {
      throw ValidationError("--echo and --pass go into JSON Lines; leave --output out")
    }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let content = try EmbeddingStream.Content(tokens: tokens, layers: layers, perToken: perToken)
    let records = try input.records(
      json: output == nil, quiet: quiet, answer: [content.member])
    var bytesOfStates = 0
    if layers != nil {
      let file = try Container(path: model, kind: .model, decoding: .noWeights)
      bytesOfStates = try Architecture(file.metadata).bytesOfStates
    }
    let encoder = try encoding.encoder(
      model, morePerToken: bytesOfStates, onCut: EncoderOptions.warnings(quiet))
    try encoder.steer(try steering.directions(), onNote: EncoderOptions.warnings(quiet))
    try EmbeddingStream(
      records, encoder: encoder, content: content, output: output, replace: force
    ).run()
    if stats {
      StandardError.write(
        RunStatistics.line(records.counts.texts, tokens: nil, seconds: Timing.now() - start))
    }
    try records.end(maximumTokens: encoder.maximumTokens)
  }
}
