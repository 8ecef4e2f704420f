import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQTraining

struct Tasks: Command {
  static let configuration = CommandConfiguration(
    abstract: "Tells how learning one task of minimal pairs changes others in a language model.",
    discussion: """
      Reads the pairs of vdsq pairs. For each task, computes the mean gradient of the difference of \
      the losses of right and other texts with respect to the down projections of some layers, and \
      keeps its largest entries. Writes for each task how a step against these entries changes the \
      task itself, and which other task it helps and hurts most, to first order, in nats. --exact \
      takes the steps and measures. Gradients are computed twice, so that one is in memory at a \
      time.
      """)

  @Argument(help: "The .vdsq file of a causal language model.", completion: .file())
  var model: String

  @OptionGroup var input: PairOptions

  @Option(help: "The field that names the task's group, for colours; it may be missing.")
  var groupField = "term"

  @Option(help: "Only these tasks, separated by commas.")
  var tasks: String?

  @OptionGroup var layer: LayerOptions

  @Option(help: "The percentage of entries of a gradient that are kept, above 0 and at most 100.")
  var mask = 1.0

  @Option(help: "The length of a step, as a share of the length of the weights.")
  var step = 0.001

  @Flag(help: "Take the step of each task, and measure its effect on all tasks.")
  var exact = false

  @OptionGroup var encoding: EncoderOptions

  @Option(help: "An HTML page to write.", completion: .file())
  var report: String?

  @Flag(help: "Replace the page if it exists.")
  var force = false

  @Flag(help: "Write JSON, with all matrices.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, input.pairs], outputs: [report], replaces: force)
  }

  func validate() throws {
    guard mask > 0, mask <= 100 else {
      throw ValidationError("--mask must be above 0 and at most 100")
    }
    guard step > 0, step <= 1 else {
      throw ValidationError("--step must be above 0 and at most 1")
    }
  }

  /// Every task has a mask, and is compared with every other.
  private static let mostTasks = 512

  private func groups() throws(VDSQError) -> [[MinimalPair]] {
    let all = TaskSpace.grouped(try input.read(group: groupField))
    var chosen = all
    if let tasks {
      chosen = []
      for name in tasks.split(separator: ",", omittingEmptySubsequences: false) {
        guard let task = all.first(where: { $0[0].task.hasSameBytes(as: String(name)) }) else {
          throw .usage("\(input.pairs): there is no task \(name)")
        }
        guard !chosen.contains(where: { $0[0].task.hasSameBytes(as: String(name)) }) else {
          throw .usage("--tasks names the task \(name) twice")
        }
        chosen.append(task)
      }
    }
    guard chosen.count <= Self.mostTasks else {
      throw .usage(
        "\(input.pairs): \(chosen.count) tasks are more than \(Self.mostTasks); choose some with "
          + "--tasks, or group pairs by another field with --by")
    }
    return chosen
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let groups = try groups()
    let model = try Model(path: self.model)
    let c = try Architecture(model.description.metadata)
    guard c.pooling == .nextToken else {
      throw .usage(
        "\(self.model): the model is no causal language model, which gives probabilities")
    }
    let layers = try layer.places(in: c)
    let space = try space(groups, model, c, layers: layers)
    let measured = exact ? try measure(groups, space, model, c) : nil
    if let report {
      try TasksPage(title: "\(self.model), \(input.pairs)", space, exact: measured).write(
        to: report, replace: force)
    }
    try print(
      TasksReport(space, exact: measured, seconds: Timing.now() - start), json: json)
  }

  /// Texts of minimal pairs are sentences; what is longer is cut.
  private static let longestTokens = 256

  private func space(
    _ groups: [[MinimalPair]], _ model: Model, _ c: Architecture, layers: [Int]
  ) throws(VDSQError) -> TaskSpace {
    var run = try encoding.run()
    let longest = encoding.maxTokens ?? min(c.maximumTokens, Self.longestTokens)
    run.maximumTokens = longest
    // With room for two texts of maximum length, a batch has many short ones.
    run.batch = encoding.batch ?? max(2, TaskGradients.batchTokens / max(1, longest))
    // What is out of range is refused by the encoder.
    let bytes = TaskGradients.bytes(
      c, layers: layers, longest: min(max(2, longest), c.maximumTokens),
      threads: min(max(1, run.threads), 256))
    let encoder = try model.encoder(
      run,
      more: model.description.vocabularyBytes + bytes
        + maskBytes(groups.count, c, layers: layers.count),
      among: [.resident, .release])
    let bar = ProgressBar("computing gradients", quiet: quiet)
    defer { bar.end() }
    let gradients = try TaskGradients(encoder, layers: layers)
    return try TaskSpace(
      groups, gradients: gradients, container: encoder.container, share: mask / 100, step: step
    ) { bar.show($0, of: 2 * groups.count) }
  }

  /// The bytes of the masks of all tasks: eight an entry.
  private func maskBytes(_ tasks: Int, _ c: Architecture, layers: Int) -> Int {
    Int(Double(8 * tasks * layers * c.hiddenSize * c.intermediateSize) * mask / 100)
  }

  private func measure(
    _ groups: [[MinimalPair]], _ space: TaskSpace, _ model: Model, _ c: Architecture
  ) throws(VDSQError) -> ExactTransfer {
    let bar = ProgressBar("taking steps", quiet: quiet)
    defer { bar.end() }
    // A step may change all neurons.
    let step = 8 * space.layers.count * c.hiddenSize * c.intermediateSize
    let scorer = try TextScorer(
      model: model, options: try encoding.run(quiet: quiet),
      more: step + maskBytes(groups.count, c, layers: space.layers.count))
    return try ExactTransfer(groups, space, scorer: scorer, container: model.description) {
      bar.show($0, of: groups.count)
    }
  }
}
