import CShims
import VDSQ
import VDSQStreams

/// The command line: options may stand before or after the model.
struct Arguments {
  static let usage = """
    usage: vdsq-run MODEL [--labels a,b,c | --labels-file F | --adapter F]
                    [--nli [--multi-label]] [--pair [--second-field PATH]]
                    [--template T] [--calibrate-on F] [--top K] [--json] [--strict]
                    [--threads N]
                    [--max-tokens N] [--abstain P] [--out-of-scope NAME] [--stats]
                    [--memory-policy resident|release|stream] [--memory-budget 16M]
                    [--field PATH [--pass PATH,PATH]] [--echo] [--quiet]
                    [--temperature T] [--prompt NAME] [--dimensions N] [--]
           vdsq-run MODEL --plan [--labels a,b,c | --labels-file F | --adapter F] [--top K]
                    [--threads N] [--max-tokens N]
           vdsq-run --help | --version | --generate-completion-script bash|zsh|fish
    """

  /// The names of all options, as the usage lists them.
  static var options: [String] {
    var names: [String] = []
    var name: [UInt8] = []
    for byte in usage.utf8 {
      let isLetter = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
      if byte == UInt8(ascii: "-") || (isLetter && name.count >= 2) {
        name.append(byte)
        continue
      }
      let text = String(decoding: name, as: UTF8.self)
      let isNew = !names.contains { $0.utf8.elementsEqual(text.utf8) }
      if name.count > 2, isNew { names.append(text) }
      name.removeAll()
    }
    return names
  }

  private(set) var model = ""
  private(set) var labels = LabelSource()
  private(set) var adapter: String?
  /// The file of texts without labels.
  private(set) var referenceFile: String?
  private(set) var classifier = TextClassifier.Options()
  private(set) var statistics = false
  private(set) var request = Request.classification
  private(set) var stream = ClassificationStream.Options()
  private(set) var records = RecordStream.Options()

  init(_ arguments: [String]) throws(VDSQError) {
    // One text of maximum length at a time takes the least memory.
    classifier.run.batch = 1
    var reader = ArgumentReader(arguments)
    while let argument = try reader.next() {
      guard reader.isOption else {
        guard model.utf8.isEmpty else {
          throw .usage("\(argument): one model is enough\n\(Self.usage)")
        }
        model = argument
        continue
      }
      switch argument {
      case "--labels": labels.labels += try Label.parse(list: try reader.value())
      case "--labels-file": labels.file = try reader.value()
      case "--adapter": adapter = try reader.value()
      case "--template": classifier.template = try Template(try reader.value())
      case "--calibrate-on": referenceFile = try reader.value()
      case "--threads": classifier.run.threads = try reader.number()
      case "--max-tokens": classifier.run.maximumTokens = try reader.number()
      case "--memory-policy": classifier.run.memoryPolicy = try reader.policy()
      case "--memory-budget": classifier.run.memoryBudget = try reader.bytes()
      case "--prompt": classifier.run.prompt = try reader.value()
      case "--dimensions": classifier.run.dimensions = try reader.number()
      case "--nli": classifier.usesEntailment = true
      case "--multi-label": classifier.isMultiLabel = true
      case "--pair": records.reading.isPair = true
      case "--second-field":
        records.reading.isPair = true
        records.reading.secondField = try FieldPath(try reader.value())
      case "--temperature": classifier.temperature = try reader.positive()
      case "--top": stream.top = try reader.number()
      case "--abstain": stream.abstain = try reader.probability()
      case "--out-of-scope":
        labels.outOfScope = try reader.value()
        stream.outOfScope = labels.outOfScope
      case "--json": records.json = true
      case "--strict": records.reading.isStrict = true
      case "--field": records.reading.field = try FieldPath(try reader.value())
      case "--pass": records.reading.pass = try FieldPath.list(try reader.value())
      case "--echo": records.echoes = true
      case "--quiet", "-q": records.isQuiet = true
      case "--stats": statistics = true
      case "--plan": request = .plan
      case "--help", "-h":
        request = .help
        return
      case "--version":
        request = .version
        return
      case "--generate-completion-script":
        request = .completion(try reader.script())
        return
      default: throw Self.unknown(argument)
      }
    }
    if model.utf8.isEmpty { throw .usage("no model is named\n\(Self.usage)") }
    if case .plan = request { return }
    guard !records.reading.isPair || (adapter == nil && labels.isEmpty) else {
      throw .usage("the model's own head labels pairs; leave other labels out")
    }
    guard !classifier.usesEntailment || !labels.isEmpty else {
      throw .usage("--nli needs --labels or --labels-file")
    }
    guard !classifier.isMultiLabel || classifier.usesEntailment else {
      throw .usage("--multi-label goes with --nli")
    }
    guard adapter == nil || labels.isEmpty else {
      throw .usage("--adapter brings its own labels; leave --labels out")
    }
    guard labels.file.map({ !$0.utf8.elementsEqual("-".utf8) }) ?? true else {
      throw .usage("-: standard input can be read only once; name a file")
    }
    if let referenceFile { classifier.referenceTexts = try ReferenceTexts.read(referenceFile) }
    try records.check(answer: ClassificationStream.members)
  }

  /// The option that an error's setting is given by, and a colon; empty if there is none.
  static func option(of error: VDSQError) -> StaticString {
    switch error.setting {
    case .threads: "--threads: "
    case .maximumTokens: "--max-tokens: "
    case .memoryPolicy: "--memory-policy: "
    case .memoryBudget: "--memory-budget: "
    case .template: "--template: "
    case .referenceTexts: "--calibrate-on: "
    case .passedFields: "--pass: "
    case .prompt: "--prompt: "
    case .dimensions: "--dimensions: "
    case .texts: "--second-field: "
    case .abstention: "--abstain: "
    case .outOfScope: "--out-of-scope: "
    case .sequenceLength, .temperature, .replacesFiles, .coarseRows, .keptTensors,
      .ignoredTensors, .trainedHead, .bases, .lens,
      .labels, .unlabelledTexts,
      .exampleFields, .method, nil:
      ""
    }
  }

  /// The files that are read beside standard input.
  var inputs: [String] {
    var paths = [model]
    if let file = labels.file { paths.append(file) }
    if let adapter { paths.append(adapter) }
    if let referenceFile { paths.append(referenceFile) }
    return paths
  }

  private static func unknown(_ argument: String) -> VDSQError {
    let closest = Spelling.closest(to: argument, among: options)
    let suggestion = if let closest { "; did you mean '\(closest)'?" } else { "" }
    return .usage("unknown option '\(argument)'\(suggestion)\n\(usage)")
  }
}
