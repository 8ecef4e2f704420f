import ArgumentParser
import VDSQ
import VDSQCheckpoints
import VDSQFiles
import VDSQReports
import VDSQSemantics
import VDSQStreams

struct Logits: Command {
  static let configuration = CommandConfiguration(
    abstract: "Lists the vocabulary tokens that are closest to texts or hidden states.",
    discussion: """
      Writes one line per text: tokens and the cosines of the text's state to their bases, best \
      first. These are the disentangled logits. The state is that of a causal model at the last \
      token, that of a masked model at the mask token, or the vector of a sentence encoder, whose \
      bases are its word embeddings. With --hidden, states come from a .npy file, and a file of \
      bases suffices.

      With --approx (sentence encoders converted with --coarse), a first pass over two bits per \
      dimension finds candidates. Every sixteenth text is also searched exactly, and the measured \
      recall is written to standard error at the end.
      """)

  @Argument(help: "The .vdsq file: a model, or bases that vdsq bases made.", completion: .file())
  var model: String

  @Option(help: "A .npy file of hidden states, one per row, instead of texts.", completion: .file())
  var hidden: String?

  @Option(help: "The number of tokens to write for each text.")
  var top = 10

  @Option(help: "Softmax temperature of the cosines; the default is that of the bases, or 0.05.")
  var temperature: Float?

  @Flag(help: "Add the logits of the LM head.")
  var entangled = false

  @Option(
    help: "The gradient of the loss of this token, by its text or id, with respect to the state.")
  var gradient: String?

  @Option(help: "Compare with these labels, as for classify, instead of the vocabulary.")
  var labels: String?

  @Option(
    help: """
      A .npy file to write: the values of all tokens, float32, [texts, vocabulary]. They are \
      cosines, or with --entangled the logits of the LM head.
      """, completion: .file())
  var scoresOut: String?

  @Flag(help: "Replace the file of --scores-out if it exists.")
  var force = false

  @Flag(help: "Search approximately, which is faster for large vocabularies.")
  var approx = false

  @Flag(help: "Write JSON, one line per text: [{\"id\", \"token\", \"cosine\", \"probability\"}].")
  var json = false

  @OptionGroup var vocabulary: VocabularyOptions
  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions
  @OptionGroup var steering: SteeringOptions
  @OptionGroup var repair: RepairOptions

  @Flag(name: .shortAndLong, help: "No report of the recall, no warnings.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(
      inputs: [model, vocabulary.bases, hidden, repair.repair] + steering.files,
      outputs: [scoresOut], replaces: force, readsStandardInput: hidden == nil)
  }

  func validate() throws {
    guard top >= 1, top <= 65536 else { throw ValidationError("--top must be from 1 to 65536") }
    guard temperature.map({ $0 > 0 && $0.isFinite }) ?? true else {
      throw ValidationError("--temperature must be above 0")
    }
    guard
      !approx
        || (!entangled && gradient == nil && labels == nil && hidden == nil && scoresOut == nil)
    else {
      throw ValidationError("--approx goes with texts alone")
    }
    guard labels == nil || (!entangled && gradient == nil && scoresOut == nil) else {
      throw ValidationError("--labels goes without --entangled, --gradient and --scores-out")
    }
    guard hidden == nil || steering.isEmpty else {
      throw ValidationError("--steer changes the states of texts; --hidden has its own states")
    }
    guard hidden == nil || repair.repair == nil else {
      throw ValidationError("--repair changes the states of texts; --hidden has its own states")
    }
    guard gradient == nil || json else { throw ValidationError("--gradient needs --json") }
  }

  func execute() throws(VDSQError) {
    let file = try Container(path: model, decoding: .allButLayers)
    guard file.header.kind != .adapter else {
      throw .badInput("\(model): this file has an adapter, not a model or bases")
    }
    let output = OutputBuffer(descriptor: 1)
    if approx {
      let encoder = try encoder(file)
      try encoder.steer(try steering.directions(), onNote: EncoderOptions.warnings(quiet))
      let search = try ApproximateLogits(file, encoder, top: top, json: json, to: output)
      StreamSignals.watch(reloads: false)
      try states(of: encoder, output).forEach { search.write($0, $1) }
      if !quiet, let report = search.report { StandardError.write("\(report)\n") }
      return
    }
    let encoder = file.header.kind == .model ? try encoder(file) : nil
    let writer = try request().writer(file, encoder, output)
    if let hidden {
      try writer.checkTokens()
      try NPYFile(path: hidden).forEachRow(of: writer.dimensions) {
        (state) throws(VDSQError) in try writer.write(state, .none)
      }
      try output.flush()
      return try writer.finish()
    }
    guard let encoder else {
      throw .usage("\(model): bases alone tell nothing of texts; give --hidden, or a model")
    }
    // A file of scores is written completely or not at all.
    if scoresOut == nil { StreamSignals.watch(reloads: false) }
    try states(of: encoder, output).forEach(
      { (state, tags) throws(VDSQError) in try writer.write(state, tags) }, failed: writer.skip)
    try writer.finish()
  }

  private func encoder(_ file: Container) throws(VDSQError) -> TextEncoder {
    try encoding.encoder(
      model, repair: try repair.read(for: model), comparing: approx ? .none : .all,
      more: approx ? file.vocabularyBytes : vocabulary.bytes,
      onCut: EncoderOptions.warnings(quiet))
  }

  private func request() throws(VDSQError) -> LogitsRequest {
    var request = LogitsRequest()
    request.bases = try vocabulary.choice(model) ?? .own
    (request.top, request.temperature) = (top, temperature)
    (request.entangled, request.gradient, request.labels) = (entangled, gradient, labels)
    (request.scores, request.replaces, request.json) = (scoresOut, force, json)
    (request.steering, request.threads) = (try steering.directions(), encoding.threads)
    request.onNote = EncoderOptions.warnings(quiet)
    return request
  }

  private func states(of encoder: TextEncoder, _ output: OutputBuffer) throws(VDSQError)
    -> StateStream
  {
    StateStream(
      try input.records(
        json: json, quiet: quiet, output: output,
        answer: ["tokens", "labels", "entangled", "target", "loss", "gradient"]),
      encoder: encoder, isTagged: input.isTagged)
  }
}
