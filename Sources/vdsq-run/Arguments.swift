import CShims
import VDSQ
import VDSQStreams

/// The command line: options may stand before or after the model.
struct Arguments {
  static let usage = """
    usage: vdsq-run MODEL (--labels a,b,c | --labels-file F | --adapter F)
                    [--template T] [--top K] [--json] [--strict] [--threads N]
                    [--max-tokens N] [--abstain P] [--out-of-scope NAME] [--stats]
                    [--memory-policy resident|release|stream] [--memory-budget 16M]
                    [--field PATH [--pass PATH,PATH]] [--echo] [--quiet]
           vdsq-run MODEL --plan [--adapter F] [--threads N] [--max-tokens N]
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
  private(set) var classifier = TextClassifier.Options()
  private(set) var statistics = false
  private(set) var request = Request.classification
  private(set) var stream = ClassificationStream.Options()
  private(set) var records = RecordStream.Options()

  init(_ arguments: [String]) throws(VDSQError) {
    // One text of maximum length at a time takes the least memory.
    classifier.run.batch = 1
    var rest = Self.separated(arguments)[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--labels": labels.labels += try Label.parse(list: try Self.value(argument, &rest))
      case "--labels-file": labels.file = try Self.value(argument, &rest)
      case "--adapter": adapter = try Self.value(argument, &rest)
      case "--template": classifier.template = try Template(try Self.value(argument, &rest))
      case "--threads": classifier.run.threads = try Self.number(argument, &rest)
      case "--max-tokens": classifier.run.maximumTokens = try Self.number(argument, &rest)
      case "--memory-policy": classifier.run.memoryPolicy = try Self.policy(argument, &rest)
      case "--memory-budget": classifier.run.memoryBudget = try Self.bytes(argument, &rest)
      case "--top": stream.top = try Self.number(argument, &rest)
      case "--abstain": stream.abstain = try Self.probability(argument, &rest)
      case "--out-of-scope":
        labels.outOfScope = try Self.value(argument, &rest)
        stream.outOfScope = labels.outOfScope
      case "--json": records.json = true
      case "--strict": records.reading.isStrict = true
      case "--field": records.reading.field = try FieldPath(try Self.value(argument, &rest))
      case "--pass": records.reading.pass = try FieldPath.list(try Self.value(argument, &rest))
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
        request = .completion(try Self.script(argument, &rest))
        return
      default:
        guard !argument.utf8.starts(with: "-".utf8), model.utf8.isEmpty else {
          throw Self.unknown(argument)
        }
        model = argument
      }
    }
    if model.utf8.isEmpty { throw .usage("no model is named\n\(Self.usage)") }
    if case .plan = request { return }
    guard adapter != nil || !labels.isEmpty else {
      throw .usage("one of --labels, --labels-file, --adapter is needed\n\(Self.usage)")
    }
    guard adapter == nil || labels.isEmpty else {
      throw .usage("--adapter brings its own labels; leave --labels out")
    }
    guard labels.file.map({ !$0.utf8.elementsEqual("-".utf8) }) ?? true else {
      throw .usage("-: standard input can be read only once; name a file")
    }
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
    case .passedFields: "--pass: "
    case .sequenceLength, .temperature, .replacesFiles, .coarseRows, .keptTensors, .trainedHead,
      .labels,
      .exampleFields, .method, nil:
      ""
    }
  }

  /// Arguments in which `--option=value` is two.
  private static func separated(_ arguments: [String]) -> [String] {
    var result: [String] = []
    for argument in arguments {
      let equals = argument.utf8.firstIndex(of: UInt8(ascii: "="))
      guard argument.utf8.starts(with: "--".utf8), let equals else {
        result.append(argument)
        continue
      }
      result.append(String(argument[..<equals]))
      result.append(String(argument[argument.utf8.index(after: equals)...]))
    }
    return result
  }

  private static func unknown(_ argument: String) -> VDSQError {
    guard argument.utf8.starts(with: "-".utf8) else {
      return .usage("\(argument): one model is enough\n\(usage)")
    }
    let closest = Spelling.closest(to: argument, among: options)
    let suggestion = if let closest { "; did you mean '\(closest)'?" } else { "" }
    return .usage("unknown option '\(argument)'\(suggestion)\n\(usage)")
  }

  private static func script(
    _ option: String, _ rest: inout ArraySlice<String>
  ) throws(VDSQError) -> CompletionScript {
    let shell = try value(option, &rest)
    guard let script = CompletionScript(shell: shell) else {
      throw .usage("\(option) \(shell): bash, zsh or fish is needed")
    }
    return script
  }

  private static func value(
    _ option: String, _ rest: inout ArraySlice<String>
  ) throws(VDSQError) -> String {
    guard let value = rest.popFirst() else { throw .usage("\(option) needs a value") }
    return value
  }

  private static func number(
    _ option: String, _ rest: inout ArraySlice<String>
  ) throws(VDSQError) -> Int {
    let text = try value(option, &rest)
    guard let number = Int(text), number > 0, number < 1 << 30 else {
      throw .usage("\(option) \(text): a number from 1 up is needed")
    }
    return number
  }

  /// A number of bytes, with or without a unit.
  private static func bytes(
    _ option: String, _ rest: inout ArraySlice<String>
  ) throws(VDSQError) -> Int {
    let text = try value(option, &rest)
    guard let count = ByteCount.parse(text) else {
      throw .usage("\(option) \(text): a number of bytes, or such as 16M or 16MB, is needed")
    }
    return count
  }

  private static func policy(
    _ option: String, _ rest: inout ArraySlice<String>
  ) throws(VDSQError) -> MemoryPolicy {
    let name = try value(option, &rest)
    guard let policy = MemoryPolicy(name: name) else {
      throw .usage("\(option) \(name): resident, release or stream is needed")
    }
    return policy
  }

  /// A decimal fraction above 0 and at most 1.
  private static func probability(
    _ option: String, _ rest: inout ArraySlice<String>
  ) throws(VDSQError) -> Float {
    let text = try value(option, &rest)
    var digits: Float = 0
    var scale: Float = 0
    var isNumber = !text.utf8.isEmpty
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits = digits * 10 + Float(byte - UInt8(ascii: "0"))
        scale *= 10
      case UInt8(ascii: ".") where scale == 0: scale = 1
      default: isNumber = false
      }
    }
    let number = scale > 0 ? digits / scale : digits
    guard isNumber, number > 0, number <= 1 else {
      throw .usage("\(option) \(text): a number above 0 and at most 1 is needed")
    }
    return number
  }
}
