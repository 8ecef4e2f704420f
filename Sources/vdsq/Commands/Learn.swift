import ArgumentParser
import VDSQFiles
import Glibc
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQReports
import VDSQSemantics
import VDSQStreams
import VDSQTraining

struct Learn: Command {
  static let configuration = CommandConfiguration(
    abstract: "Learns one example after another, and can undo it.",
    discussion: """
      Starts an adapter with --labels or --labels-file if it does not exist, or goes on with one \
      that vdsq adapt trained (joint, frozen, prior, finetune). Reads examples from standard \
      input: texts of one label, one per line, with --label, otherwise JSON Lines: \
      {"text": "...", "label": "..."}; or from a file as vdsq adapt does, with --examples. The \
      adapter is replaced after each example, so a kill loses \
      at most one. A running vdsq classify or vdsq-run uses the new adapter from the next text on. \
      Memory and file size do not depend on the number of examples; texts are not stored.

      For each example, writes the number of examples, its label, and the previous answer with its \
      probability.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Argument(
    help: "The adapter; created if it does not exist, replaced after each example.",
    completion: .file())
  var adapter: String

  @Option(help: "The label of all texts on standard input.")
  var label: String?

  @Option(
    help: "Read examples from this file instead: JSON Lines, .csv or .tsv.", completion: .file())
  var examples: String?

  @Option(help: "Labels to start with, as for classify: a,b,c or \"a=word,word phrase;b\".")
  var labels: String?

  @Option(help: "A file of labels to start with.", completion: .file())
  var labelsFile: String?

  @Option(help: "The label of texts that belong to no other; its name is not used as a word.")
  var outOfScope: String?

  @Option(help: "Labels to add.")
  var addLabels: String?

  @Option(help: "Forget a label and all its examples.")
  var forget: String?

  @Flag(help: "Undo the last example; up to \(OnlineDiscriminant.undoable) times in a row.")
  var undo = false

  @Flag(help: "Undo what vdsq classify --adapt-stream learned of texts without labels.")
  var forgetStream = false

  @Option(help: "A template around label words or around texts, as for classify; to start with.")
  var template: String?

  @OptionGroup var fields: ExampleFieldOptions

  @Flag(
    help: "Stop at the first example that cannot be read. By default it is told and left out.")
  var strict = false

  @Flag(help: "Write one JSON object per example.")
  var json = false

  @OptionGroup var encoding: EncoderOptions

  @Flag(name: .shortAndLong, help: "Write no results and no warnings.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(
      inputs: [model, labelsFile, examples], outputs: [adapter], readsStandardInput: examples == nil
    )
  }

  func validate() throws {
    guard adapter != "-" else {
      throw ValidationError("the adapter is replaced after each example; name a file")
    }
    guard labels != nil || labelsFile != nil || (outOfScope == nil && template == nil) else {
      throw ValidationError("--out-of-scope and --template start an adapter; give --labels too")
    }
    guard examples == nil || label == nil else {
      throw ValidationError("--label is of texts on standard input; --examples has labels")
    }
    let changes = [undo, forgetStream, forget != nil].filter { $0 }.count
    guard changes <= 1,
      changes == 0 || (label == nil && addLabels == nil && labels == nil && examples == nil)
    else {
      throw ValidationError("--undo, --forget and --forget-stream go alone")
    }
  }

  func execute() throws(VDSQError) {
    let file = try Container(path: model, kind: .model, decoding: .noWeights)
    let d = try OutputModules.vectorSize(file, cutTo: encoding.dimensions)
    let examples = try examples.map { (path) throws(VDSQError) in
      try fields.reader().read(path) { if !quiet { $0.tell(path) } }
    }
    // The scatter, and copies of it while it is changed, factored and written; labels and their
    // sums.
    let labels = try beginning().map { LabelMemory.bytes(of: $0, dimensions: d) } ?? 0
    let encoder = try OnlineLearner.encoder(
      for: adapter, model: try Model(path: model), run: try encoding.run(),
      more: 10 * 4 * d * d + 8 * labels + 8 * Int(FileStamp(path: adapter)?.length ?? 0))
    let learner = OnlineLearner(path: adapter, encoder: encoder)
    let begun = try beginning()
    if let begun {
      let template = try template.map { (text) throws(VDSQError) in try Template(text) }
      try learner.begin(try LabelSet(begun, encoder: encoder, template: template))
    }
    guard learner.exists else {
      throw VDSQError(
        .missingInput, "\(adapter): does not exist; --labels or --labels-file starts it")
    }
    if undo {
      let name = try learner.undo()
      return try report("one of \(name)", learner, "undone", name)
    }
    if forgetStream {
      try learner.forgetStream()
      return try report("texts without labels", learner, "forgotten", "texts without labels")
    }
    if let forget {
      try learner.forget(forget, context: "--forget")
      return try report(forget, learner, "forgotten", forget)
    }
    if let addLabels {
      for label in try Label.parse(list: addLabels) {
        try learner.add(
          try LabelSet([label], encoder: encoder, template: try learner.template()))
      }
    }
    // If only labels were given, do not wait for input on a terminal.
    if (addLabels != nil || begun != nil) && label == nil && examples == nil && isatty(0) == 1 {
      return
    }
    try learn(learner, encoder, examples)
  }

  /// The labels to start with; nil if none are named.
  private func beginning() throws(VDSQError) -> [Label]? {
    var source = LabelSource()
    if let labels { source.labels = try Label.parse(list: labels) }
    (source.file, source.outOfScope) = (labelsFile, outOfScope)
    return try source.isEmpty ? nil : source.readBeginning()
  }

  private func learn(
    _ learner: OnlineLearner, _ encoder: TextEncoder, _ examples: [Examples.Example]?
  ) throws(VDSQError) {
    var options = RecordStream.Options()
    options.reading.isStrict = strict
    if label == nil {
      options.reading.field = try FieldPath(fields.textField)
      options.reading.pass = [try FieldPath(fields.fields().label)]
    }
    options.json = json
    options.isQuiet = quiet
    // A reader of a line must get it before the next example.
    let records = RecordStream(
      LineReader(descriptor: 0, name: "standard input"), options: options,
      output: OutputBuffer(descriptor: 1), program: "vdsq")
    StreamSignals.watch(reloads: false)
    let stream = LearningStream(
      records, learner: learner, encoder: encoder, label: label, isJSON: json, isQuiet: quiet,
      message: \.commandLineMessage)
    if let examples { try stream.learn(examples) } else { try stream.run() }
  }

  /// Writes what was removed, with its name under `key`.
  private func report(
    _ what: String, _ learner: OnlineLearner, _ key: String, _ name: String
  ) throws(VDSQError) {
    if quiet { return }
    try print(RemovalReport(what: what, name: name, key: key, left: learner.count), json: json)
  }
}
