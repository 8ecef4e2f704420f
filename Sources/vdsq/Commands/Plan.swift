import ArgumentParser
import VDSQFiles
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQSemantics
import VDSQStreams

struct Plan: Command {
  static let configuration = CommandConfiguration(
    abstract: "Computes the memory that running a model will take, part by part, before the work.",
    discussion: """
      One short text passes through the model to measure what the program itself takes. The rest \
      is arithmetic: layers under each policy, arena and caches at the maximum for --max-tokens, \
      --batch and --threads, and an adapter. With --memory-budget, names the policy that would be \
      chosen and, if the budget has room for shorter texts only, the number of tokens to which they \
      would be cut, or exits with 75. --speed also measures the time under each policy.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Option(help: "An adapter to include.", completion: .file())
  var adapter: String?

  @Option(help: "Labels to include, as for classify.")
  var labels: String?

  @Option(help: "A file of labels to include.", completion: .file())
  var labelsFile: String?

  @Option(help: "The number of labels of an answer.")
  var top = 1

  @Option(
    name: .customLong("for"),
    help: "Plan for another program: vdsq-run, or its path.", completion: .file())
  var program: String?

  @Flag(help: "Measure the time of a full batch under each policy that the budget allows.")
  var speed = false

  @Flag(help: "Write JSON.")
  var json = false

  @OptionGroup var encoding: EncoderOptions

  func validate() throws {
    guard adapter == nil || (labels == nil && labelsFile == nil) else {
      throw ValidationError("--adapter brings its own labels; leave --labels out")
    }
    guard top >= 1 else { throw ValidationError("--top must be at least 1") }
    guard program == nil || (!speed && encoding.batch == nil && encoding.precision == .integer)
    else {
      throw ValidationError("--for goes without --speed, --batch and --precision")
    }
  }

  var files: CommandFiles {
    CommandFiles(inputs: [model, adapter, labelsFile])
  }

  func execute() throws(VDSQError) {
    let learned = try adapter.map { (path) throws(VDSQError) in
      try Adapter(
        path: path, model: try Container(path: model, kind: .model, decoding: .noWeights))
    }
    let budget = try encoding.memory.bytes()
    let policies = MemoryPolicy.among(encoding.memoryPolicy)
    var source = LabelSource()
    if let labels { source.labels = try Label.parse(list: labels) }
    source.file = labelsFile
    var options = try encoding.options()
    try learned?.complete(&options)
    var words = 0
    if !source.isEmpty {
      let (names, model) = (try source.readChoice(), try Model(path: model))
      options.continuations = try TextClassifier.continuations(of: names, model)
      words = try TextClassifier.bytes(of: names, model, top: top, isFollowed: labelsFile != nil)
    }
    let all =
      if let program {
        try Footprint.each(inProgram: program, arguments: arguments)
      } else {
        try Footprint.each(
          of: model, options: options,
          more: words + Adapter.copiesOfFollowed * (learned?.bytes ?? 0),
          cutFor: encoding.maxTokens == nil ? budget : nil, among: policies)
      }
    var comparison = try PolicyComparison(of: all, within: budget, among: policies)
    if speed { try comparison.measure(model, options: options) }
    try print(PolicyReport(comparison), json: json)
  }

  /// The arguments for `vdsq-run`, whose defaults are other ones.
  private var arguments: [String] {
    var arguments = [model]
    for (option, value) in [
      ("--adapter", adapter), ("--labels", labels), ("--labels-file", labelsFile),
    ] { if let value { arguments.append("\(option)=\(value)") } }
    if top > 1 { arguments += ["--top", "\(top)"] }
    if let policy = encoding.memoryPolicy { arguments += ["--memory-policy", policy.name] }
    if let budget = encoding.memory.memoryBudget { arguments += ["--memory-budget", budget] }
    if let prompt = encoding.prompt { arguments += ["--prompt", prompt] }
    if let cut = encoding.dimensions { arguments += ["--dimensions", "\(cut)"] }
    if let tokens = encoding.maxTokens { arguments += ["--max-tokens", "\(tokens)"] }
    let given = ProcessStart.arguments.contains { $0 == "--threads" || $0.hasPrefix("--threads=") }
    if given { arguments += ["--threads", "\(encoding.threads)"] }
    return arguments
  }
}
