import ArgumentParser
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQReports
import VDSQSemantics
import VDSQStreams
import VDSQTraining

struct Review: Command {
  static let configuration = CommandConfiguration(
    abstract: "Lists labelled texts whose label a person should check, most doubtful first.",
    discussion: """
      Each example is held out in turn and classified by an adapter that is trained on the others, \
      or all are classified by a given adapter. Writes one line per example: the probability of \
      reconsideration, the number of its line in the file, its label, the best other label, the text. The \
      probability is 1 if the text is classified differently; otherwise it falls exponentially \
      with the log-odds of its label.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Argument(help: "The labelled texts: JSON Lines, .csv or .tsv.", completion: .file())
  var examples: String

  @Option(
    help: "Compare with this adapter, which must not have been trained on the same texts.",
    completion: .file())
  var adapter: String?

  @Option(help: "List examples whose probability of reconsideration is at least this, from 0 to 1.")
  var minimum: Float = 0.05

  @Option(help: "The maximum number of listed examples.")
  var limit: Int?

  @OptionGroup var label: LabelOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Write one JSON object per line.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [
      model, examples, adapter, label.labelsFile, label.calibrateOn, label.unlabelled,
      label.vocabulary.bases,
    ])
  }

  func validate() throws {
    guard minimum >= 0, minimum <= 1 else {
      throw ValidationError("--minimum must be from 0 to 1")
    }
    guard limit.map({ $0 >= 1 }) ?? true else {
      throw ValidationError("--limit must be at least 1")
    }
    guard adapter == nil || (label.labels.isEmpty && label.labelsFile == nil) else {
      throw ValidationError("--adapter brings its own labels; leave --labels out")
    }
    guard adapter == nil || label.unlabelled == nil else {
      throw ValidationError("--adapter has learned already; leave --unlabelled out")
    }
  }

  func execute() throws(VDSQError) {
    let learned = try adapter.map { (path) throws(VDSQError) in
      try Adapter(
        path: path, model: try Container(path: model, kind: .model, decoding: .noWeights))
    }
    let names = if let learned { learned.labels.names } else { try label.names(model) }
    let texts = try label.rename(
      try label.readIndices(examples, quiet: quiet), examples,
      by: names, quiet: quiet)
    let (labels, items) = try learned == nil ? heldOut(texts) : adapted(texts, learned!)
    let doubtful = items.prefix { $0.probability >= minimum }
    for item in doubtful.prefix(limit ?? doubtful.count) {
      try print(
        ReconsiderationReport(item, of: texts[item.example], other: labels[item.other]), json: json)
    }
  }

  private func heldOut(
    _ texts: [Examples.Example]
  ) throws(VDSQError) -> ([String], [Reconsideration]) {
    guard label.method != .finetune else {
      throw .usage(
        "--method finetune changes the states that are compared; try another, or --adapter")
    }
    let trainer = try label.trainer(
      model, texts, encoding, allowsFinetuning: false, quiet: quiet)
    let progress = TrainingProgress(encoding: examples, quiet: quiet)
    defer { progress.end() }
    return (
      trainer.anchors.names,
      try Reconsideration.list(texts, trainer: trainer, report: progress.show)
    )
  }

  private func adapted(
    _ texts: [Examples.Example], _ learned: Adapter
  ) throws(VDSQError) -> ([String], [Reconsideration]) {
    let adapted = try label.encode(
      texts, examples, by: learned, model: model, encoding: encoding, quiet: quiet)
    return (learned.labels.names, Reconsideration.list(adapted))
  }
}
