import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQMeasurement
import VDSQReports
import VDSQStreams
import VDSQTraining

struct Classify: Command {
  static let configuration = CommandConfiguration(
    abstract: "Assigns labels to the texts on standard input.",
    discussion: """
      Without labels, the head that the model was trained with labels texts. With labels, texts \
      are compared with the label words (zero-shot). With --examples, or with an adapter that vdsq \
      adapt trained, examples correct that. Writes one line per text: the label, a tab, its \
      probability.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @OptionGroup var label: LabelOptions

  @Option(
    help: #"Train on these examples first, JSON Lines: {"text": "...", "label": "..."}."#,
    completion: .file())
  var examples: String?

  @Option(help: "Use an adapter that vdsq adapt made for this model.", completion: .file())
  var adapter: String?

  @Option(
    help: """
      Move this adapter towards the texts, every \(StreamAdaptation.step) texts: one that \
      vdsq learn began, or a new one with the labels. vdsq learn --forget-stream undoes it.
      """, completion: .file())
  var adaptStream: String?

  @Option(
    help: """
      Softmax temperature; the default is that of the adapter, 0.05 for cosines, 1 for a language \
      model.
      """)
  var temperature: Float?

  @Flag(
    help: """
      Read pairs of texts: on both sides of a tab, or in --field and --second-field. The model's \
      own head labels the pair.
      """)
  var pair = false

  @Option(help: "The field of JSON Lines with the second text of a pair.")
  var secondField: String?

  @Flag(
    help: """
      Take labels as hypotheses, for a model of natural language inference: "This example is {}.", \
      or --template.
      """)
  var nli = false

  @Flag(help: "With --nli: judge each label by itself, entailment against contradiction.")
  var multiLabel = false

  @Option(help: "The number of labels to write for each text.")
  var top = 1

  @Option(help: "Withhold labels that are less probable than this, from 0 to 1.")
  var abstain: Float?

  @Flag(help: "Write one JSON object per line.")
  var json = false

  @Flag(
    help: """
      Explain the label: list the vocabulary words that are close to the text, to the label and to \
      both, and the words towards which examples moved the label. A sentence encoder encodes its \
      whole vocabulary for that once; --cache keeps the result.
      """)
  var explain = false

  @OptionGroup var input: InputOptions
  @OptionGroup var encoding: EncoderOptions
  @OptionGroup var steering: SteeringOptions
  @OptionGroup var repair: RepairOptions

  @Flag(help: "Write counts, time and peak memory to standard error at the end.")
  var stats = false

  @Flag(name: .shortAndLong, help: "No progress, no warnings.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(
      inputs: [
        model, label.labelsFile, label.calibrateOn, label.unlabelled, examples, adapter,
        label.vocabulary.bases, repair.repair,
      ]
        + steering.files,
      outputs: [adaptStream], readsStandardInput: true)
  }

  func validate() throws {
    guard top >= 1 else { throw ValidationError("--top must be at least 1") }
    guard abstain.map({ $0 > 0 && $0 <= 1 }) ?? true else {
      throw ValidationError("--abstain must be above 0 and at most 1")
    }
    guard !explain || (abstain == nil && !input.isTagged) else {
      throw ValidationError("--explain goes without --abstain, --echo and --pass")
    }
    guard adapter == nil || examples == nil else {
      throw ValidationError("--adapter and --examples exclude each other")
    }
    guard adapter == nil || (label.labels.isEmpty && label.labelsFile == nil) else {
      throw ValidationError("--adapter brings its own labels; leave --labels out")
    }
    guard
      adaptStream == nil
        || (adapter == nil && examples == nil && label.unlabelled == nil
          && label.calibrateOn == nil && !explain && !nli
          && steering.isEmpty)
    else {
      throw ValidationError(
        "--adapt-stream goes without --adapter, --examples, --unlabelled, --calibrate-on, --explain, "
          + "--nli and steering"
      )
    }
    guard
      repair.repair == nil
        || (adapter == nil && adaptStream == nil && examples == nil && label.unlabelled == nil)
    else {
      throw ValidationError(
        "--repair goes without --adapter, --adapt-stream, --examples and --unlabelled, which learn from "
          + "the states of the model as it is")
    }
    guard adaptStream != "-" else {
      throw ValidationError("the adapter is replaced as texts come; name a file")
    }
    let isOwn =
      adapter == nil && adaptStream == nil && examples == nil && label.labels.isEmpty
      && label.labelsFile == nil
    guard
      label.vocabulary.isEmpty || (adapter == nil && adaptStream == nil && !isOwn && !nli)
    else {
      throw ValidationError(
        "bases are compared with label words; leave them out with --adapter, --adapt-stream, --nli, "
          + "and without labels")
    }
    guard !isOwn || !explain else {
      throw ValidationError("--explain needs --labels, --labels-file, --examples or --adapter")
    }
    guard !(pair || secondField != nil) || isOwn else {
      throw ValidationError("the model's own head labels pairs; leave other labels out")
    }
    guard !nli || (!isOwn && adapter == nil && examples == nil && !explain) else {
      throw ValidationError("--nli needs --labels or --labels-file, and goes without --explain")
    }
    guard label.unlabelled == nil || (adapter == nil && !nli && !(isOwn && examples == nil)) else {
      throw ValidationError(
        "--unlabelled needs --labels, --labels-file or --examples, without --adapter and --nli")
    }
    guard !multiLabel || nli else { throw ValidationError("--multi-label goes with --nli") }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let records = try input.records(
      json: json, quiet: quiet, answer: ClassificationStream.members,
      pair: pair || secondField != nil, secondField: secondField)
    let (texts, adaptation) = try textClassifier()
    if explain {
      guard !texts.givesSeveralLabels else {
        throw .usage("--explain is of one label; this adapter gives any number of them")
      }
      StreamSignals.watch(reloads: false)
      return try ExplanationStream(
        texts, records, isJSON: json, outOfScope: label.outOfScope
      ).run(cache: label.cache, quiet: quiet)
    }
    var options = ClassificationStream.Options()
    options.top = top
    options.abstain = abstain ?? 0
    options.outOfScope = label.outOfScope
    options.observer = adaptation?.observer
    let stream = try ClassificationStream(
      records, classifier: texts, options: options, isJSON: json)
    StreamSignals.watch(reloads: true)
    try stream.run()
    if let adaptation {
      try adaptation.end()
      if !quiet, let refusal = adaptation.refusal {
        TrainingEvent.unlabelledTextsRefused(refusal).tell(adaptStream!)
      }
    }
    if stats {
      StandardError.write(
        RunStatistics.line(
          records.counts.texts, tokens: records.counts.tokens, seconds: Timing.now() - start))
    }
    try records.end(maximumTokens: texts.maximumTokens)
  }

  private func textClassifier() throws(VDSQError) -> (TextClassifier, StreamAdaptation?) {
    var options = TextClassifier.Options()
    options.run = try encoding.run(quiet: quiet)
    options.run.steering = try steering.directions()
    options.run.repair = try repair.read(for: self.model)
    options.template = try label.parsedTemplate()
    options.referenceTexts = try label.referenceTexts()
    options.temperature = temperature
    (options.usesEntailment, options.isMultiLabel) = (nli, multiLabel)
    options.top = top
    options.onWarning = EncoderOptions.warnings(quiet)
    let model = try Model(path: model)
    options.bases = try label.vocabulary.choice(self.model)
    if let adaptStream {
      guard label.namesLabels || FileStamp(path: adaptStream) != nil else {
        throw VDSQError(
          .missingInput, "\(adaptStream): does not exist; --labels or --labels-file starts it")
      }
      return try StreamAdaptation.classifier(
        adaptStream, model: model, labels: try label.source(), options: options)
    }
    return (try textClassifier(model, options), nil)
  }

  private func textClassifier(
    _ model: Model, _ options: TextClassifier.Options
  ) throws(VDSQError) -> TextClassifier {
    if let adapter {
      return try TextClassifier(model: model, adapterFile: adapter, options: options)
    }
    if examples != nil || label.unlabelled != nil {
      let learned = try label.adapter(
        from: examples, model: self.model, encoding: encoding, quiet: quiet,
        // Then it replaces withheld labels.
        checksScope: abstain == nil)
      return try TextClassifier(model: model, adapter: learned, options: options)
    }
    let labels = try label.source()
    return labels.isEmpty
      ? try TextClassifier(model: model, options: options)
      : try TextClassifier(model: model, labels: labels, options: options)
  }
}
