import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQSemantics
import VDSQTraining

struct RepairCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Changes a few neurons of a language model so that prompts get given answers.",
    discussion: """
      Reads JSON Lines such as {"prompt": "The capital of France is", "answer": " Paris", \
      "paraphrases": ["France's capital is"]}. In each round, every token of an answer that does \
      not beat its strongest rival gets the smallest change of the last state that would make it \
      do so, and a few neurons of some layers the smallest change of their vectors that leads \
      there. The weights in the model's file stay as they are: --repair of logits, lens, score, \
      pairs, generate and classify adds the changes. Of --keep, every second text limits the \
      changes, and the others are measured.
      """)

  @Argument(help: "The .vdsq file of a causal language model.", completion: .file())
  var model: String

  @Argument(help: "The fixes: JSON Lines.", completion: .file())
  var fixes: String

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @Option(
    help: "Texts that should not change: one per line, or .jsonl. At most 400 are taken, evenly.",
    completion: .file())
  var keep: String?

  @Option(help: "The field of the text in .jsonl.")
  var field = "text"

  @OptionGroup var layer: LayerOptions

  @Option(help: "The number of neurons of each layer that are changed.")
  var neurons = ModelRepair.Options().neurons

  @Option(help: "By how many logits each token of an answer must beat its strongest rival.")
  var margin = ModelRepair.Options().margin

  @Option(help: "How much a smaller change counts beside an exact one; 0 for exact ones.")
  var ridge = ModelRepair.Options().ridge

  @Option(help: "The maximum number of rounds.")
  var rounds = ModelRepair.Options().rounds

  @OptionGroup var encoding: EncoderOptions

  @Option(help: "An HTML page to write.", completion: .file())
  var report: String?

  @Flag(help: "Replace the files to write if they exist.")
  var force = false

  @Flag(help: "Write the report as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, fixes, keep], outputs: [output, report], replaces: force)
  }

  func validate() throws {
    guard neurons >= 1, neurons <= 4096 else {
      throw ValidationError("--neurons must be from 1 to 4096")
    }
    guard margin >= 0, margin <= 1000 else {
      throw ValidationError("--margin must be from 0 to 1000")
    }
    guard ridge >= 0, ridge <= 1000 else {
      throw ValidationError("--ridge must be from 0 to 1000")
    }
    guard encoding.threads >= 1, encoding.threads <= 256 else {
      throw ValidationError("--threads must be from 1 to 256")
    }
    guard rounds >= 1, rounds <= 1000 else {
      throw ValidationError("--rounds must be from 1 to 1000")
    }
  }

  /// The maximum number of texts to keep: reading them takes most of the time.
  private static let mostKept = 400

  private func options(_ c: Architecture) throws(VDSQError) -> ModelRepair.Options {
    var options = ModelRepair.Options()
    options.layers = try layer.places(in: c)
    (options.neurons, options.margin) = (neurons, margin)
    (options.ridge, options.rounds) = (ridge, rounds)
    return options
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let fixes = try Fix.read(self.fixes)
    let texts = try keep.map { (path) throws(VDSQError) in
      try ReferenceTexts.read(path, field: field, atMost: Self.mostKept)
    }
    let file = try Container(path: model, kind: .model, decoding: .noWeights)
    let architecture = try Architecture(file.metadata)
    guard architecture.pooling == .nextToken else {
      throw .usage("\(model): the model is no causal language model, whose answers are repaired")
    }
    let options = try options(architecture)
    // A byte of an answer is a token at most.
    let bytes = min(ModelRepair.mostTokens, fixes.reduce(0) { $0 + $1.answer.utf8.count })
    // The inputs of neurons are seen in one thread; products of matrices have all.
    var encoding = encoding
    encoding.threads = 1
    let encoder = try encoding.encoder(
      model,
      more: file.vocabularyBytes
        + ModelRepair.bytes(
          architecture, tokens: bytes,
          // What is out of range is refused by the encoder.
          longest: min(
            max(1, encoding.maxTokens ?? TextEncoder.defaultLongest), architecture.maximumTokens),
          options: options))
    let bar = ProgressBar("repairing", quiet: quiet)
    defer { bar.end() }
    let kept = (texts ?? []).map { text in
      Array(text.utf8).withUnsafeBytes { encoder.readTokens(of: $0) }
    }.filter { $0.count > 1 }
    let limiting = stride(from: 0, to: kept.count, by: 2).map { kept[$0] }
    let measured = stride(from: 1, to: kept.count, by: 2).map { kept[$0] }
    let threads = ThreadPool(count: self.encoding.threads)
    let repair = try ModelRepair(
      encoder, threads: threads, fixes: fixes, keep: limiting, options: options)
    let (result, found) = try repair.run { bar.show($0, of: rounds) }
    bar.end()
    let measuring = ProgressBar("measuring", quiet: quiet)
    defer { measuring.end() }
    let evaluation = try RepairEvaluation(
      fixes, kept: measured, updates: result.updates, encoder: encoder, threads: threads
    ) { measuring.show($0, of: 2 * measured.count) }
    measuring.end()
    let length = try result.contents.write(to: output, replace: force)
    if let report {
      try RepairPage(title: "\(model), \(self.fixes)", evaluation, rounds: found).write(
        to: report, replace: force)
    }
    try print(
      RepairReport(
        evaluation, rounds: found, layers: result.updates.layers.map { $0.layer + 1 },
        neurons: result.updates.layers.first?.neurons.count ?? 0, tokens: repair.tokens,
        output: output, bytes: length, seconds: Timing.now() - start), json: json)
  }
}
