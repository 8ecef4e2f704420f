import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQMeasurement
import VDSQReports
import VDSQStreams
import VDSQTraining

extension VerbalTarget.Task: ExpressibleByArgument {}

struct Verbalize: Command {
  static let configuration = CommandConfiguration(
    abstract: "Learns a description in words by which a language model predicts labels or numbers.",
    discussion: """
      The model predicts the labels of a batch by a description, then sees its answers beside the \
      labels and writes a better description (verbalized machine learning). What it writes is \
      constrained to the format, so any model keeps it. The description with the least loss on \
      held-out examples is the result: it can be read, changed, and given again with \
      --description-file. --epochs 0 learns nothing and judges the description that is given.
      """)

  @Argument(help: "The .vdsq file of a causal language model that reads chats.", completion: .file())
  var model: String

  @Argument(help: "The labelled texts: JSON Lines, .csv or .tsv.", completion: .file())
  var examples: String

  @Option(help: "Labelled texts to judge the description by at the end.", completion: .file())
  var test: String?

  @Option(
    help: """
      What is predicted. The default is regression if all labels are decimal numbers, and one has \
      a fraction.
      """, completion: .list(VerbalTarget.Task.allCases.map(\.rawValue)))
  var task: VerbalTarget.Task?

  @Option(help: "The first description.")
  var description: String?

  @Option(help: "A file with the first description.", completion: .file())
  var descriptionFile: String?

  @Option(help: "How often all training texts are seen.")
  var epochs = VerbalizedLearner.Options().epochs

  @Option(help: "The number of texts that a new description is made from.")
  var batch = VerbalizedLearner.Options().batch

  @Option(help: "The share of the examples that judge descriptions, from 0 to 0.9.")
  var validation = VerbalizedLearner.Options().validation

  @Flag(help: "Go on with the best description, not with each new one.")
  var keepBest = false

  @Option(help: "The maximum number of characters of an explanation before an answer; 0 for none.")
  var explanation = VerbalizedLearner.Options().explanation

  @Option(help: "The maximum number of characters of a description, from 8 to 900.")
  var length = VerbalizedLearner.Options().length

  @Option(help: "Divides logits before the tokens of a description are drawn; 0 for the likeliest.")
  var temperature = VerbalizedLearner.Options().sampling.temperature

  @Option(help: "The seed of the order of examples, and of descriptions.")
  var seed: UInt64 = 0

  @Option(
    help: """
      The maximum number of tokens of a prompt with its answer; by default the model's longest \
      sequence, but at most \(TextEncoder.defaultLongest).
      """)
  var context: Int?

  @OptionGroup var fields: ExampleFieldOptions
  @OptionGroup var running: RunningOptions

  @Option(
    name: .shortAndLong, help: "A file to write the description to.", completion: .file())
  var output: String?

  @Flag(help: "Replace the file to write if it exists.")
  var force = false

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(
      inputs: [model, examples, test, descriptionFile], outputs: [output], replaces: force)
  }

  func validate() throws {
    guard description == nil || descriptionFile == nil else {
      throw ValidationError("--description and --description-file exclude each other")
    }
    guard description.map({ !TextFile.isBlank(Array($0.utf8)) }) ?? true else {
      throw ValidationError("--description has nothing to read")
    }
    guard (0...1000).contains(epochs) else {
      throw ValidationError("--epochs must be from 0 to 1000")
    }
    guard (1...1000).contains(batch) else {
      throw ValidationError("--batch must be from 1 to 1000")
    }
    guard (0...0.9).contains(validation) else {
      throw ValidationError("--validation must be from 0 to 0.9")
    }
    guard (0...900).contains(explanation) else {
      throw ValidationError("--explanation must be from 0 to 900")
    }
    guard (8...900).contains(length) else {
      throw ValidationError("--length must be from 8 to 900")
    }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature must be at least 0")
    }
  }

  private func options() throws(VDSQError) -> VerbalizedLearner.Options {
    var options = VerbalizedLearner.Options()
    if let description { options.description = description }
    if let descriptionFile { options.description = try Self.text(descriptionFile) }
    (options.epochs, options.batch, options.validation) = (epochs, batch, validation)
    (options.keepsBest, options.explanation, options.length) = (keepBest, explanation, length)
    (options.sampling.temperature, options.sampling.seed, options.seed) = (temperature, seed, seed)
    return options
  }

  /// A description that was written before, without its last end of line.
  private static func text(_ path: String) throws(VDSQError) -> String {
    let file = try TextFile(path: path, limit: 1 << 16)
    var bytes: [UInt8] = []
    try file.forEachLine { (line, number) throws(VDSQError) in
      if number > 1 { bytes.append(UInt8(ascii: "\n")) }
      bytes += line
    }
    guard !TextFile.isBlank(bytes) else {
      throw .badInput("\(path): the description has nothing to read")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .badInput("\(path): the description is not UTF-8")
    }
    return text
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let reader = ExampleReader(fields: fields.fields(), allowsFractions: true)
    let examples = try reader.read(self.examples)
    let judged = try test.map { (path) throws(VDSQError) in try reader.read(path) }
    let target = try VerbalTarget(of: examples, task: task)
    try judged.map { (judged) throws(VDSQError) in try target.check(judged) }
    var run = try running.run(quiet: quiet)
    run.maximumTokens = context
    let learner = try VerbalizedLearner(
      try TextGenerator(model: try Model(path: model), options: run), target: target,
      options: try options())
    let bar = ProgressBar("learning", quiet: quiet)
    defer { bar.end() }
    let steps = learner.steps(of: examples.count)
    let fit = try learner.fit(examples) { bar.show($0, of: steps) }
    let testLoss = try judged.map { (judged) throws(VDSQError) in
      try learner.loss(of: judged, by: fit.description)
    }
    bar.end()
    if let output {
      let file = try AtomicFile(path: output, replace: force)
      try file.write(Array((fit.description + "\n").utf8))
      try file.commit()
    }
    try print(
      VerbalizedReport(
        fit, target: target, examples: examples, test: judged, testLoss: testLoss,
        seconds: Timing.now() - start), json: json)
  }
}
