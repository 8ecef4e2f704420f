public import ArgumentParser
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQReports
import VDSQSemantics
import VDSQTraining

extension TrainingMethod: ExpressibleByArgument {}

/// The labels and the options of training, shared by `classify` and `adapt`.
struct LabelOptions: ParsableArguments {
  @Option(
    help: """
      Labels: a,b,c, or with words that describe them: "billing=invoice,credit card;outage". \
      May be repeated.
      """)
  var labels: [String] = []

  @Option(
    help: "A file of labels: one per line, name or name=word,word phrase; or a JSON object.",
    completion: .file())
  var labelsFile: String?

  @Option(
    help: """
      A sentence around each label word, such as "This is about {}."; {} for the word alone. With \
      {text}, the template goes around each text instead. By default a sentence encoder reads each \
      word alone and in two such sentences, and takes the mean.
      """)
  var template: String?

  @Option(
    help: """
      Texts without labels, of the kind that will be classified: one per line, or .jsonl with the \
      text in --text-field. What a language model says about them on average is subtracted from its \
      scores. By default, what it says without a text is subtracted.
      """, completion: .file())
  var calibrateOn: String?

  @Option(
    help: """
      Texts without labels to learn from, of the kind that will be classified: one per line, or \
      .jsonl with the text in --text-field. They move the labels' means towards clusters among the \
      texts. For sentence encoders and the methods joint, frozen and prior, without finetuning.
      """, completion: .file())
  var unlabelled: String?

  @OptionGroup var vocabulary: VocabularyOptions
  @OptionGroup var fields: ExampleFieldOptions

  @Option(
    help: "The training method: \(TrainingMethod.summaries).")
  var method = TrainingMethod.joint

  @Option(
    help: """
      The label of texts that belong to no other. It is learned from its examples; its name is not \
      used as a word. With --abstain it also replaces withheld labels.
      """)
  var outOfScope: String?

  @Option(help: "Seed of the random numbers of training.")
  var seed: UInt64 = 1

  @Option(
    help: """
      A folder that keeps states of examples between runs, so that only new texts pass through the \
      model.
      """, completion: .directory)
  var cache: String?

  func parsedTemplate() throws(VDSQError) -> Template? {
    guard let template else { return nil }
    return try Template(template)
  }

  /// The texts of `--calibrate-on`; none without it.
  func referenceTexts() throws(VDSQError) -> [String] {
    guard let calibrateOn else { return [] }
    return try ReferenceTexts.read(calibrateOn, field: fields.textField)
  }

  /// Whether the options name labels.
  var namesLabels: Bool { !labels.isEmpty || labelsFile != nil }

  /// The texts of `--unlabelled`; none without it.
  private func unlabelledTexts() throws(VDSQError) -> [String] {
    guard let unlabelled else { return [] }
    return try ReferenceTexts.read(
      unlabelled, field: fields.textField, atMost: Hyperparameters.Unlabelled.mostRead)
  }

  /// The labels that the options name.
  func source() throws(VDSQError) -> LabelSource {
    var source = LabelSource()
    for list in labels { source.labels += try Label.parse(list: list) }
    source.file = labelsFile
    source.outOfScope = outOfScope
    return source
  }

  /// The labels that the options name; empty if they name none.
  private func named() throws(VDSQError) -> [Label] {
    let source = try source()
    return source.isEmpty ? [] : try source.read()
  }

  /// The labels that the options name, or else those of the examples.
  ///
  /// - Parameter checksScope: whether an example must have the out-of-scope label.
  func all(
    in examples: [Examples.Example], checksScope: Bool = true
  ) throws(VDSQError) -> [Label] {
    if checksScope { try Examples.check(outOfScope: outOfScope, in: examples) }
    return Examples.labels(of: examples, named: try named(), outOfScope: outOfScope)
  }

  /// - Parameter allowsFinetuning: whether the encoder's weights may be updated.
  func training(
    _ model: String, _ encoding: EncoderOptions, allowsFinetuning: Bool = true
  ) throws(VDSQError) -> TrainingOptions {
    var options = TrainingOptions()
    options.method = method
    options.template = try parsedTemplate()
    options.referenceTexts = try referenceTexts()
    options.unlabelledTexts = try unlabelledTexts()
    options.bases = try vocabulary.choice(model)
    options.seed = seed
    options.cacheFolder = cache
    options.allowsFinetuning = allowsFinetuning
    options.run = try encoding.run()
    return options
  }

  /// Trains an adapter on the examples of a file, or without any on `--unlabelled` alone.
  func adapter(
    from path: String?, model: String, encoding: EncoderOptions, quiet: Bool,
    checksScope: Bool = true
  ) throws(VDSQError) -> Adapter {
    var examples: [Examples.Example] = []
    if let path { examples = try read(path, model: model, quiet: quiet) }
    let progress = TrainingProgress(encoding: path ?? unlabelled ?? "", quiet: quiet)
    defer { progress.end() }
    return try FewShotTrainer.adapter(
      model: try Model(path: model),
      labels: try all(in: examples, checksScope: checksScope), examples: examples,
      options: try training(model, encoding), report: progress.show)
  }

  /// Trains an adapter that gives any number of labels on the texts of a file.
  ///
  /// - Throws: `usage` for options of a choice of one label.
  func adapter(
    fromSeveralLabels path: String, model: String, encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> Adapter {
    guard outOfScope == nil else {
      throw .usage("texts without labels belong to none; leave it out", .outOfScope)
    }
    guard [.joint, .frozen, .prior].contains(method) else {
      throw .usage("texts with several labels are learned by frozen linear heads", .method)
    }
    let texts = try fields.severalLabels().read(path) { if !quiet { $0.tell(path) } }
    let progress = TrainingProgress(encoding: path, quiet: quiet)
    defer { progress.end() }
    return try MultiLabelTrainer.adapter(
      model: try Model(path: model), labels: try named(), texts: texts,
      options: try training(model, encoding, allowsFinetuning: false), report: progress.show)
  }

  /// Opens a model to train on examples. Their labels are used if the options name none.
  func trainer(
    _ model: String, _ examples: [Examples.Example], _ encoding: EncoderOptions,
    allowsFinetuning: Bool = true, quiet: Bool
  ) throws(VDSQError) -> FewShotTrainer {
    try FewShotTrainer(
      try TrainingPlan(
        model: try Model(path: model),
        labels: try all(in: examples), examples: examples,
        options: try training(model, encoding, allowsFinetuning: allowsFinetuning),
        report: TrainingProgress(encoding: "", quiet: quiet).show))
  }

  /// Labelled texts of a file; tells how many have nothing to read. Labels that are indices get
  /// the names of the labels' options, or else of the model's own head.
  func read(
    _ path: String, model: String, quiet: Bool
  ) throws(VDSQError) -> [Examples.Example] {
    try rename(try readIndices(path, quiet: quiet), path, by: try names(model), quiet: quiet)
  }

  /// Labelled texts of a file, with indices as they are.
  func readIndices(_ path: String, quiet: Bool) throws(VDSQError) -> [Examples.Example] {
    try fields.reader().read(path) { if !quiet { $0.tell(path) } }
  }

  /// The names that indices stand for: of the labels' options, or else of the model's own head.
  func names(_ model: String) throws(VDSQError) -> [String] {
    let named = try named().map(\.name)
    guard named.isEmpty else { return named }
    return try LabelIndex.names(
      of: try Container(path: model, kind: .model, decoding: .noWeights))
  }

  /// Gives names to labels that are indices, and tells of it.
  func rename(
    _ examples: [Examples.Example], _ path: String, by names: [String], quiet: Bool
  ) throws(VDSQError) -> [Examples.Example] {
    try LabelIndex.named(examples, by: names) { if !quiet { $0.tell(path) } }
  }

  /// Runs a model with its own head over labelled texts of a file.
  func encode(
    _ examples: [Examples.Example], _ path: String, byHeadOf model: String,
    encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> AdaptedExamples {
    let progress = TrainingProgress(encoding: path, quiet: quiet)
    defer { progress.end() }
    return try AdaptedExamples(
      examples, headOf: try Model(path: model), options: try training(model, encoding),
      report: progress.show)
  }

  /// Runs an adapter's model over labelled texts of a file.
  func encode(
    _ examples: [Examples.Example], _ path: String, by adapter: Adapter, model: String,
    encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> AdaptedExamples {
    let progress = TrainingProgress(encoding: path, quiet: quiet)
    defer { progress.end() }
    return try AdaptedExamples(
      examples, adapter: adapter, model: try Model(path: model),
      options: try training(model, encoding),
      report: progress.show)
  }
}
