import ArgumentParser
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQTraining

struct Adapt: Command {
  static let configuration = CommandConfiguration(
    abstract: "Trains an adapter on labelled examples, on the device.",
    discussion: """
      Each example passes through the model once. Then a classifier is trained on the states, with \
      the label words as a prior. A few examples take seconds. From 32 examples of each label on, \
      the encoder's weights are finetuned too, which takes minutes (--method frozen never does \
      that). The file of the model does not change.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Argument(
    help: #"""
      The examples, JSON Lines: {"text": "...", "label": "..."}. None if --unlabelled and labels \#
      are all there is.
      """#, completion: .file())
  var examples: String?

  @Option(name: .shortAndLong, help: "The adapter file to write.", completion: .file())
  var output: String

  @Flag(
    help: """
      Texts have any number of labels: {"text": "...", "labels": ["a", "b"]}. Trains a classifier of \
      each label against the rest, with the threshold that gives the best F1 on held-out texts.
      """)
  var multiLabel = false

  @Option(
    help: """
      Say the classifier in words: write a file for --labels-file with at most this many words of \
      the vocabulary for each label, and no adapter. Half of the examples propose words, the other \
      half accepts them. For sentence encoders.
      """)
  var words: Int?

  @OptionGroup var label: LabelOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(name: .shortAndLong, help: "No progress, no summary.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(
      inputs: [
        model, examples, label.labelsFile, label.calibrateOn, label.unlabelled,
        label.vocabulary.bases,
      ],
      outputs: [output], replaces: force)
  }

  func validate() throws {
    guard examples != nil || (label.unlabelled != nil && label.namesLabels) else {
      throw ValidationError(
        "name a file of examples, or labels and texts without labels (--labels, --unlabelled)")
    }
    guard words.map({ $0 >= 1 && $0 <= 100 }) ?? true else {
      throw ValidationError("--words must be from 1 to 100")
    }
    guard words == nil || (examples != nil && !multiLabel && label.unlabelled == nil) else {
      throw ValidationError("--words needs examples, and goes without --multi-label and --unlabelled")
    }
    guard words == nil || label.method != .finetune else {
      throw ValidationError("--words says a frozen classifier in words; leave --method finetune out")
    }
    guard !multiLabel || (examples != nil && label.unlabelled == nil) else {
      throw ValidationError("--multi-label needs examples, and goes without --unlabelled")
    }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    if let words, let examples { return try rule(of: words, from: examples, start) }
    let adapter =
      if multiLabel, let examples {
        try label.adapter(
          fromSeveralLabels: examples, model: model, encoding: encoding, quiet: quiet)
      } else {
        try label.adapter(from: examples, model: model, encoding: encoding, quiet: quiet)
      }
    let bytes = try adapter.write(to: output, replace: force)
    if quiet { return }
    let peak = ProcessMemory.peakResidentBytes().map { ", peak RSS \(mebibytes($0))" } ?? ""
    try StandardOutput.write(
      line: "\(output): \(counted(adapter.labels.count, "label")), \(bytes) bytes, "
        + "\(fixed(Timing.now() - start, 2)) s\(peak)")
  }

  /// Writes labels with words instead of an adapter.
  private func rule(
    of words: Int, from path: String, _ start: Double
  ) throws(VDSQError) {
    let texts = try label.read(path, model: model, quiet: quiet)
    let trainer = try label.trainer(
      model, texts, encoding, allowsFinetuning: false, quiet: quiet)
    let progress = TrainingProgress(encoding: path, quiet: quiet)
    let search = try LabelWordSearch(trainer, try trainer.encode(texts, report: progress.show))
    progress.end()
    let bar = ProgressBar("finding words", quiet: quiet)
    defer { bar.end() }
    let rule = try search.rule(
      words: words, cache: try StateCache(folder: label.cache, encoder: trainer.encoder)
    ) { bar.show(Int($0 * 1000), of: 1000) }
    _ = try rule.write(to: output, replace: force)
    bar.end()
    if quiet { return }
    try StandardOutput.write(
      line: WordRuleReport(rule, output: output, seconds: Timing.now() - start).text)
  }
}
