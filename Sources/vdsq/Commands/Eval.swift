import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQReports
import VDSQSemantics
import VDSQTraining

struct Eval: Command {
  static let configuration = CommandConfiguration(
    abstract:
      "Measures classification accuracy without examples, with a few, or with an adapter.",
    discussion: """
      Every text passes through the model once. With --train, --shots examples of each label are \
      drawn --seeds times, and an adapter is trained on each draw; 0 is zero-shot. Prints \
      accuracy, its standard deviation over seeds and its 95% confidence interval (over seeds; of \
      one seed, over texts), macro F1, and the expected calibration error; then precision, recall \
      and F1 of each label in the last row, as means over seeds. --report draws learning curves, \
      the confusion matrix and the reliability diagram of the last row.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Option(help: "The test texts: JSON Lines, .csv or .tsv.", completion: .file())
  var test: String

  @Option(help: "The training texts.", completion: .file())
  var train: String?

  @Option(help: "Use an adapter that vdsq adapt made for this model.", completion: .file())
  var adapter: String?

  @Option(help: "Numbers of examples per label, separated by commas.")
  var shots: String?

  @Option(help: "The number of random draws of examples.")
  var seeds = 5

  @Flag(
    help: """
      Texts have any number of labels: {"text": "...", "labels": ["a", "b"]}. With --train, trains \
      on all of its texts; or takes an --adapter of vdsq adapt --multi-label.
      """)
  var multiLabel = false

  @Option(
    name: .customLong("compare"),
    help: """
      Evaluate this model, or adapter, on the same texts and the same draws of examples, and tell \
      the difference in accuracy with its 95% interval. Given twice, a model and its adapter.
      """, completion: .file())
  var compared: [String] = []

  @OptionGroup var label: LabelOptions
  @OptionGroup var encoding: EncoderOptions

  @Option(help: "An HTML page to write.", completion: .file())
  var report: String?

  @Option(
    help: """
      A file to write with every text, its label, the predicted label, the probabilities of both, \
      and whether it is correct: .csv or .jsonl.
      """, completion: .file())
  var predictions: String?

  @Flag(help: "Replace the files to write if they exist.")
  var force = false

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(
      inputs: [
        model, test, train, adapter, label.labelsFile, label.calibrateOn, label.unlabelled,
        label.vocabulary.bases,
      ] + compared,
      outputs: [report, predictions], replaces: force)
  }

  func validate() throws {
    guard adapter == nil || (train == nil && shots == nil) else {
      throw ValidationError("--adapter has learned already; leave --train and --shots out")
    }
    guard adapter == nil || (!label.namesLabels && label.outOfScope == nil) else {
      throw ValidationError(
        "--adapter brings its own labels; leave --labels, --labels-file and --out-of-scope out")
    }
    guard seeds >= 1, seeds <= 1000 else { throw ValidationError("--seeds must be from 1 to 1000") }
    guard
      label.unlabelled == nil
        || (adapter == nil && !multiLabel && (train != nil || label.namesLabels))
    else {
      throw ValidationError(
        "--unlabelled needs --train or labels, without --adapter and --multi-label")
    }
    if multiLabel {
      guard shots == nil, compared.isEmpty, report == nil, predictions == nil else {
        throw ValidationError(
          "--multi-label goes without --shots, --compare, --report and --predictions")
      }
      guard (train == nil) != (adapter == nil) else {
        throw ValidationError("--multi-label needs --train or --adapter")
      }
    }
    guard let counts = counts else {
      throw ValidationError("--shots: numbers from 0 up, separated by commas, such as 0,1,4,16")
    }
    guard train != nil || counts.allSatisfy({ $0 == 0 }) else {
      throw ValidationError("--shots above 0 need --train")
    }
  }

  /// Nil if they are not numbers.
  private var counts: [Int]? {
    guard let shots else { return train == nil ? [0] : [0, 1, 4, 16, 64] }
    let counts = shots.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    return counts.isEmpty || counts.contains { ($0 ?? -1) < 0 } ? nil : counts.compactMap { $0 }
  }

  func execute() throws(VDSQError) {
    if multiLabel { return try print(MultiLabelReport(try severalLabels()), json: json) }
    let output = try predictions.map { (path) throws(VDSQError) in
      try PredictionsFile(path: path)
    }
    let other = try ComparedFiles(compared, model: model)
    let read = try label.readIndices(test, quiet: quiet)
    let known =
      try train.map { (path) throws(VDSQError) in try label.readIndices(path, quiet: quiet) } ?? []
    let (rows, texts) = try rows(model, adapter, read, known)
    let comparison = try other.map { (other) throws(VDSQError) in
      try EvaluationComparison(
        with: other.name, rows, try self.rows(other.model, other.adapter, read, known).0)
    }
    if let report {
      try EvaluationPage(title: "\(model), \(test)", rows: rows, comparedWith: comparison).write(
        to: report, replace: force)
    }
    try output?.write(rows, texts: texts, replace: force)
    try print(EvaluationReport(rows, comparedWith: comparison), json: json)
  }

  private func severalLabels() throws(VDSQError) -> MultiLabelEvaluation {
    let texts = try label.fields.severalLabels().read(test) { if !quiet { $0.tell(test) } }
    let learned =
      if let adapter {
        try Adapter(
          path: adapter, model: try Container(path: model, kind: .model, decoding: .noWeights))
      } else {
        try label.adapter(
          fromSeveralLabels: train!, model: model, encoding: encoding, quiet: quiet)
      }
    let progress = TrainingProgress(encoding: test, quiet: quiet)
    defer { progress.end() }
    return try MultiLabelEvaluation(
      of: learned, texts, model: try Model(path: model),
      options: try label.training(model, encoding), report: progress.show)
  }

  /// The rows of a model, or of an adapter; and the texts with names in place of indices.
  private func rows(
    _ model: String, _ adapter: String?, _ read: [Examples.Example],
    _ known: [Examples.Example]
  ) throws(VDSQError) -> ([EvaluationRow], [Examples.Example]) {
    let file = try Container(path: model, kind: .model, decoding: .noWeights)
    if let adapter {
      let learned = try Adapter(path: adapter, model: file)
      let texts = try label.rename(read, test, by: learned.labels.names, quiet: quiet)
      return (
        [
          EvaluationRow(
            of: try label.encode(
              texts, test, by: learned, model: model, encoding: encoding, quiet: quiet))
        ], texts
      )
    }
    let names = try label.names(model)
    let texts = try label.rename(read, test, by: names, quiet: quiet)
    if try headAnswers(texts, of: file) {
      let encoded = try label.encode(
        texts, test, byHeadOf: model, encoding: encoding, quiet: quiet)
      return ([EvaluationRow(of: encoded, method: "head")], texts)
    }
    let examples = try label.rename(known, train ?? "", by: names, quiet: quiet)
    return (try trained(model, texts, examples), texts)
  }

  /// Whether nothing is named or learned, and the model's own head has all labels of the texts.
  private func headAnswers(
    _ texts: [Examples.Example], of file: Container
  ) throws(VDSQError) -> Bool {
    guard train == nil, shots == nil, !label.namesLabels, label.outOfScope == nil,
      label.calibrateOn == nil, label.vocabulary.isEmpty,
      let head = try OutputHead(file.metadata), head.reading == .texts, head.function == .softmax
    else { return false }
    let names = Set(head.labels.map(ByteString.init))
    return texts.allSatisfy { names.contains(ByteString($0.label)) }
  }

  private func trained(
    _ model: String, _ texts: [Examples.Example], _ known: [Examples.Example]
  ) throws(VDSQError) -> [EvaluationRow] {
    let trainer = try label.trainer(model, known + texts, encoding, quiet: quiet)
    let progress = EvaluationProgress(test: test, train: train ?? "", quiet: quiet)
    defer { progress.end() }
    return try FewShotEvaluation(shots: counts!, seeds: seeds).rows(
      trainer, test: texts, training: known, report: progress.show)
  }
}
