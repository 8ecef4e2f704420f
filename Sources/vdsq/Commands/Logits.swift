import ArgumentParser
import VDSQFiles
import VDSQ
import VDSQCheckpoints
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQMeasurement
import VDSQReports
import VDSQSemantics
import VDSQStreams
import VDSQTokenizers

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

  @Option(help: "Bases to use instead of the model's own.", completion: .file())
  var bases: String?

  @Option(help: "A .npy file of hidden states, one per row, instead of texts.", completion: .file())
  var hidden: String?

  @Option(help: "The number of tokens to write for each text.")
  var top = 10

  @Option(help: "Softmax temperature of the cosines.")
  var temperature: Float = Classifier.defaultTemperature

  @Flag(help: "Add the logits of the LM head.")
  var entangled = false

  @Option(
    help: "The gradient of the loss of this token, by its text or id, with respect to the state.")
  var gradient: String?

  @Option(help: "Compare with these labels, as for classify, instead of the vocabulary.")
  var labels: String?

  @Flag(help: "Search approximately, which is faster for large vocabularies.")
  var approx = false

  @Flag(help: "Write JSON, one line per text: [{\"id\", \"token\", \"cosine\", \"probability\"}].")
  var json = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(name: .shortAndLong, help: "No report of the recall, no warnings.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, bases, hidden], readsStandardInput: hidden == nil)
  }

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
    if approx { return try approximate(file) }
    let encoder =
      file.header.kind == .model
      ? try encoding.encoder(
        model, more: file.vocabularyBytes, onCut: EncoderOptions.warnings(quiet)) : nil
    let output = OutputBuffer(descriptor: 1)
    let writer = try writer(file, encoder, output)
    if let hidden {
      try writer.checkTokens()
      try NPYFile(path: hidden).forEachRow(of: writer.dimensions) { writer.write($0, .none) }
      return try output.flush()
    }
    guard let encoder else {
      throw .usage("\(model): bases alone tell nothing of texts; give --hidden, or a model")
    }
    try forEachState(of: encoder, output) { writer.write($0, $1) }
  }

  /// Calls `body` with the state of each text, and flushes its output batch by batch.
  private func forEachState(
    of encoder: TextEncoder, _ output: OutputBuffer,
    _ body: (UnsafePointer<Float>, AnswerTags) -> Void
  ) throws(VDSQError) {
    let records = try input.records(
      json: json, quiet: quiet, output: output,
      answer: ["tokens", "labels", "entangled", "target", "loss", "gradient"])
    var blanks: [Bool] = []
    var texts = try TextTemplate(nil, encoder: encoder)
    func flush() throws(VDSQError) {
      guard encoder.count > 0 else { return }
      try encoder.encode { (index, state) throws(VDSQError) in
        let tags = input.isTagged ? records.tags : nil
        body(state, AnswerTags(tags: tags, index: index, isBlank: blanks[index]))
        try output.flushIfLong()
      }
      blanks.removeAll(keepingCapacity: true)
      records.tags.removeAll()
      try output.flush()
    }
    try records.forEach(
      maximumTokens: encoder.maximumTokens,
      { (record) throws(VDSQError) in
        if !encoder.hasRoom || records.tags.isLong { try flush() }
        records.tags.add(record)
        let added = texts.add(record.text, to: encoder)
        blanks.append(added.isBlank)
        if added.isCut || record.isCut { records.counts.truncated += 1 }
      }, pause: flush)
  }

  /// Searches approximately, and measures the recall on a sample.
  private func approximate(_ file: Container) throws(VDSQError) {
    let encoder = try encoding.encoder(
      model, more: file.vocabularyBytes, onCut: EncoderOptions.warnings(quiet))
    let search = try VocabularySearch(
      file, shape: [encoder.vocabularySize, encoder.dimensions], approximate: true,
      kernels: encoder.kernels, threads: encoder.threads, capacity: top)
    let output = OutputBuffer(descriptor: 1)
    let writer = SearchResultWriter(json: json, to: output) {
      String(decoding: encoder.token($0), as: UTF8.self)
    }
    var recall = SearchRecall()
    try forEachState(of: encoder, output) { state, tags in
      var found: [VocabularySearch.Result] = []
      search.search(state, approximate: true) { found.append($0) }
      recall.add(found, state, search)
      writer.write(found, tags)
    }
    if !quiet, recall.checked > 0 {
      StandardError.write(
        "recall@\(search.capacity) \(fixed(recall.share, 4)), measured on \(recall.checked) of "
          + "\(counted(recall.states, "text"))\n")
    }
  }

  private func writer(
    _ file: Container, _ encoder: TextEncoder?, _ output: OutputBuffer
  ) throws(VDSQError) -> LogitsWriter {
    let rows =
      if let bases { try VocabularyRows(path: bases, for: file) } else {
        try VocabularyRows(bases: file)
      }
    let kernels = if let encoder { encoder.kernels } else { try KernelTable.select() }
    let threads = encoder?.threads ?? ThreadPool(count: encoding.threads)
    let tokenizer =
      if let encoder { Optional(encoder.tokenizer) } else { try Tokenizer(of: file) }
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

  /// A token by its text, or its id.
  private static func token(
    _ text: String, _ tokenizer: Tokenizer?, _ count: Int
  ) throws(VDSQError) -> Int32 {
    if let id = tokenizer?.token(Array(text.utf8)) { return id }
    guard let id = Int32(text), id >= 0, Int(id) < count else {
      throw .usage("--gradient \(text): no token has this text or id")
    }
    return id
  }
}
