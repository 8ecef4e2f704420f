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
    """

  private(set) var model = ""
  private(set) var labels: [Label] = []
  private(set) var adapter: String?
  private(set) var classifier = TextClassifier.Options()
  private(set) var statistics = false
  private(set) var wantsHelp = false
  private(set) var stream = ClassificationStream.Options()

  init(_ arguments: [String]) throws(VDSQError) {
    // One text of maximum length at a time takes the least memory.
    classifier.run.batch = 1
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--labels": labels += try Label.parse(list: try Self.value(argument, &rest))
      case "--labels-file": labels += try Self.read(try Self.value(argument, &rest))
      case "--adapter": adapter = try Self.value(argument, &rest)
      case "--template": classifier.template = try Template(try Self.value(argument, &rest))
      case "--threads": classifier.run.threads = try Self.number(argument, &rest)
      case "--max-tokens": classifier.run.maximumTokens = try Self.number(argument, &rest)
      case "--memory-policy": classifier.run.memoryPolicy = try Self.policy(argument, &rest)
      case "--memory-budget": classifier.run.memoryBudget = try Self.bytes(argument, &rest)
      case "--top": stream.top = try Self.number(argument, &rest)
      case "--abstain": stream.abstain = try Self.probability(argument, &rest)
      case "--out-of-scope": stream.outOfScope = try Self.value(argument, &rest)
      case "--json": stream.json = true
      case "--strict": stream.strict = true
      case "--stats": statistics = true
      case "--help", "-h":
        wantsHelp = true
        return
      default:
        guard !argument.utf8.starts(with: "-".utf8), model.utf8.isEmpty else {
          throw .usage("\(argument) is not understood\n\(Self.usage)")
        }
        model = argument
      }
    }
    if model.utf8.isEmpty { throw .usage("no model is named\n\(Self.usage)") }
    if adapter == nil {
      labels = try Label.checked(labels)
    } else if !labels.isEmpty {
      throw .usage("--adapter brings its own labels; leave --labels out")
    }
  }

  /// The option that an error's setting is given by, and a colon; empty if there is none.
  static func option(of error: VDSQError) -> StaticString {
    switch error.setting {
    case .threads: "--threads: "
    case .maximumTokens: "--max-tokens: "
    case .memoryPolicy: "--memory-policy: "
    case .memoryBudget: "--memory-budget: "
    case .template: "--template: "
    case .sequenceLength, .temperature, .replacesFiles, .coarseRows, .keptTensors, .labels,
      .exampleFields, .method, nil:
      ""
    }
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

  /// One label per line: `name`, or `name=word,word phrase`.
  private static func read(_ path: String) throws(VDSQError) -> [Label] {
    let descriptor = path.withCString { vdsq_open_for_reading($0) }
    guard descriptor >= 0 else {
      throw VDSQError(.missingInput, "\(path): cannot be opened: \(lastErrorText())")
    }
    defer { vdsq_close(descriptor) }
    let reader = LineReader(descriptor: descriptor, name: path)
    var labels: [Label] = []
    while let line = try reader.next() {
      if line.bytes.isEmpty { continue }
      labels.append(try Label.parse(line: String(decoding: line.bytes, as: UTF8.self)))
    }
    return labels
  }
}
