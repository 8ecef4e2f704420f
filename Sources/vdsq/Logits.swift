import ArgumentParser
import VDSQCheckpoints
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics
import VDSQStreams
import VDSQTokenizers

struct Logits: Command {
  static let configuration = CommandConfiguration(
    abstract: "Tells which tokens of the vocabulary texts, or hidden states, are closest to.",
    discussion: """
      Writes a line a text: tokens and the cosines of the text's state to their bases, best first: the \
      disentangled logits. The state is a causal model's at the last token, a masked one's at the mask \
      token, or a sentence encoder's vector, whose bases are its word embeddings. With --hidden states \
      come from a .npy file, and a file of bases is enough.

      With --approx (sentence encoders converted with --coarse) a first pass over two bits a dimension \
      finds candidates; every sixteenth text is looked up exactly too, and the recall that this measures \
      is written to standard error at the end.
      """)

  @Argument(help: "The .vdsq file: a model, or bases that vdsq bases made.")
  var model: String

  @Option(help: "Bases to use instead of the model's own.")
  var bases: String?

  @Option(help: "A .npy file of hidden states, a row each, instead of texts.")
  var hidden: String?

  @Option(help: "How many tokens to write for each text.")
  var top = 10

  @Option(help: "Softmax temperature of the cosines.")
  var temperature: Float = Classifier.defaultTemperature

  @Flag(help: "The LM head's own logits beside the cosines.")
  var entangled = false

  @Option(
    help: "The gradient of the loss of this token, by its text or id, with respect to the state.")
  var gradient: String?

  @Option(help: "Only these labels, as for classify, instead of the whole vocabulary.")
  var labels: String?

  @Flag(help: "Look at candidates only: faster where the vocabulary is large.")
  var approx = false

  @Flag(help: "Write JSON, a line a text: [{\"id\", \"token\", \"cosine\", \"probability\"}].")
  var json = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(name: .shortAndLong, help: "No report of the recall.")
  var quiet = false

  func validate() throws {
    guard top >= 1, top <= 65536 else { throw ValidationError("--top must be from 1 to 65536") }
    guard temperature > 0, temperature.isFinite else {
      throw ValidationError("--temperature must be above 0")
    }
    guard !approx || (!entangled && gradient == nil && labels == nil && hidden == nil) else {
      throw ValidationError("--approx goes with texts alone")
    }
    guard labels == nil || (!entangled && gradient == nil) else {
      throw ValidationError("--labels goes without --entangled and --gradient")
    }
    guard gradient == nil || json else { throw ValidationError("--gradient needs --json") }
  }

  func execute() throws(VDSQError) {
    let file = try Container(path: model, decoding: .allButLayers)
    guard file.header.kind != .adapter else {
      throw .badInput("\(model): this file has an adapter, not a model or bases")
    }
    if approx { return try ApproximateLogits(top: top, json: json, quiet: quiet).run(self, file) }
    let encoder =
      file.header.kind == .model
      ? try encoding.open(model, more: file.vocabularyBytes).encoder() : nil
    let output = OutputBuffer(descriptor: 1)
    let writer = try writer(file, encoder, output)
    if let hidden {
      try writer.checkTokens()
      try Self.forEachState(hidden, writer.dimensions) { (state) throws(VDSQError) in
        try writer.write(state)
      }
      return try output.flush()
    }
    guard let encoder else {
      throw .usage("\(model): bases alone tell nothing of texts; give --hidden, or a model")
    }
    func flush() throws(VDSQError) {
      guard encoder.count > 0 else { return }
      try encoder.encode { (_, state) throws(VDSQError) in try writer.write(state) }
      try output.flush()
    }
    try input.forEachText(
      { (text, line) throws(VDSQError) in
        if !encoder.hasRoom { try flush() }
        encoder.add(text)
      }, pause: flush)
  }

  private func writer(
    _ file: Container, _ encoder: TextEncoder?, _ output: OutputBuffer
  ) throws(VDSQError) -> LogitsWriter {
    let source = try bases.map { (path) throws(VDSQError) in
      try Self.bases(path, for: file)
    }
    let rows = try VocabularyRows(bases: source ?? file)
    let kernels = if let encoder { encoder.kernels } else { try KernelTable.select() }
    let threads = encoder?.threads ?? ThreadPool(count: encoding.threads)
    let tokenizer =
      if let encoder { Optional(encoder.tokenizer) } else { try Self.tokenizer(file) }
    if let encoder, encoder.dimensions != rows.dimensions {
      throw .badInput("\(bases ?? model): bases of another size than the model's states")
    }
    let writer = LogitsWriter(
      rows: rows, tokenizer: tokenizer, temperature: temperature, json: json, output: output,
      logits: VocabularyLogits(rows: rows, kernels: kernels, threads: threads, capacity: top))
    if entangled {
      writer.head = VocabularyLogits(
        rows: try VocabularyRows(head: file), kernels: kernels, threads: threads, capacity: top)
    }
    if let gradient { writer.target = try Self.token(gradient, tokenizer, rows.count) }
    if let labels {
      let parsed = try Label.parse(list: labels)
      let set: LabelSet
      if let encoder, bases == nil {
        set = try LabelSet(parsed, encoder: encoder, template: nil)
      } else if let tokenizer {
        set = try LabelSet(parsed, bases: rows, tokenizer: tokenizer, kernels: kernels)
      } else {
        throw .usage("--labels: \(model) does not know the tokens' texts")
      }
      writer.top = top
      writer.classifier = try Classifier(labels: set, temperature: temperature, kernels: kernels)
    }
    return writer
  }

  /// Bases of a file beside the model.
  private static func bases(_ path: String, for model: Container) throws(VDSQError) -> Container {
    let file = try Container(path: path, kind: .bases)
    let owner = try file.metadata.find(integer: "model_identity", in: 0...Int(UInt32.max))
    guard owner == nil || owner == Int(model.identity) else {
      throw .badInput("\(path): these bases were made for another model than \(model.path)")
    }
    return file
  }

  private static func tokenizer(_ file: Container) throws(VDSQError) -> Tokenizer? {
    guard file.sections.contains(where: { $0.kind == .tokenizer }) else { return nil }
    return try Tokenizer(section: try file.bytes(of: .tokenizer), path: file.path)
  }

  private static func token(
    _ text: String, _ tokenizer: Tokenizer?, _ count: Int
  ) throws(VDSQError) -> Int32 {
    if let id = tokenizer?.token(Array(text.utf8)) { return id }
    guard let id = Int32(text), id >= 0, Int(id) < count else {
      throw .usage("--gradient \(text): no token has this text or id")
    }
    return id
  }

  /// Calls `body` with each row of a .npy file.
  private static func forEachState(
    _ path: String, _ dimensions: Int,
    _ body: (UnsafePointer<Float>) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    let states = try NPYFile(path: path).tensor
    guard states.columns == dimensions else {
      throw .badInput(
        "\(path): rows of \(states.columns) numbers; the bases have \(dimensions)")
    }
    for row in 0..<states.rows {
      let state = try states.read(rows: row..<row + 1)
      var failure: VDSQError?
      state.withUnsafeBufferPointer { state in
        do throws(VDSQError) { try body(state.baseAddress!) } catch { failure = error }
      }
      if let failure { throw failure }
    }
  }
}
