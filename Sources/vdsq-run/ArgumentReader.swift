import VDSQ

/// Reads a command line, argument by argument: `--option value`, `--option=value`, and paths. `--`
/// ends the options.
struct ArgumentReader {
  private var rest: ArraySlice<String>
  private var hasOptions = true
  /// The option that was read last, for error messages.
  private var option = ""
  /// The value behind its equals sign, if it is there and was not read.
  private var attached: String?
  /// Whether the last argument is an option, rather than a path.
  private(set) var isOption = false

  init(_ arguments: [String]) { rest = arguments[...] }

  /// The next option, without a value, or path; nil at the end.
  ///
  /// - Throws: `usage` if the last option has a value that was not read.
  mutating func next() throws(VDSQError) -> String? {
    guard attached == nil else { throw .usage("\(option) takes no value") }
    guard let argument = rest.popFirst() else { return nil }
    isOption = hasOptions && argument.utf8.starts(with: "-".utf8)
    guard isOption else { return argument }
    if argument.utf8.elementsEqual("--".utf8) {
      hasOptions = false
      return try next()
    }
    option = argument
    let equals = argument.utf8.firstIndex(of: UInt8(ascii: "="))
    guard argument.utf8.starts(with: "--".utf8), let equals else { return option }
    attached = String(argument[argument.utf8.index(after: equals)...])
    option = String(argument[..<equals])
    return option
  }

  /// The value of the last option. Behind an equals sign it may begin with a hyphen; otherwise only
  /// a number may, and the hyphen that stands for standard input.
  mutating func value() throws(VDSQError) -> String {
    if let value = attached {
      attached = nil
      return value
    }
    guard let value = rest.popFirst() else { throw .usage("\(option) needs a value") }
    let second = value.utf8.dropFirst().first ?? UInt8(ascii: "0")
    let isDigit = second >= UInt8(ascii: "0") && second <= UInt8(ascii: "9")
    guard isDigit || !value.utf8.starts(with: "-".utf8) else {
      throw .usage("\(option) needs a value; \(option)=\(value) gives it this one")
    }
    return value
  }

  mutating func script() throws(VDSQError) -> CompletionScript {
    let shell = try value()
    guard let script = CompletionScript(shell: shell) else {
      throw .usage("\(option) \(shell): bash, zsh or fish is needed")
    }
    return script
  }

  /// A whole number from 1 up.
  mutating func number() throws(VDSQError) -> Int {
    let text = try value()
    guard let number = Int(text), number > 0, number < 1 << 30 else {
      throw .usage("\(option) \(text): a number from 1 up is needed")
    }
    return number
  }

  /// A number of bytes, with or without a unit.
  mutating func bytes() throws(VDSQError) -> Int {
    let text = try value()
    guard let count = ByteCount.parse(text) else {
      throw .usage("\(option) \(text): a number of bytes, or such as 16M or 16MB, is needed")
    }
    return count
  }

  mutating func policy() throws(VDSQError) -> MemoryPolicy {
    let name = try value()
    guard let policy = MemoryPolicy(name: name) else {
      throw .usage("\(option) \(name): resident, release or stream is needed")
    }
    return policy
  }

  /// A decimal fraction above 0 and at most 1.
  mutating func probability() throws(VDSQError) -> Float {
    let text = try value()
    guard let number = Self.decimal(text), number > 0, number <= 1 else {
      throw .usage("\(option) \(text): a number above 0 and at most 1 is needed")
    }
    return number
  }

  /// A decimal fraction above 0.
  mutating func positive() throws(VDSQError) -> Float {
    let text = try value()
    guard let number = Self.decimal(text), number > 0, number.isFinite else {
      throw .usage("\(option) \(text): a number above 0 is needed")
    }
    return number
  }

  /// Digits, and a point before, between or behind them; nil for other texts.
  private static func decimal(_ text: String) -> Float? {
    var digits: Float = 0
    var scale: Float = 0
    var isNumber = false
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits = digits * 10 + Float(byte - UInt8(ascii: "0"))
        scale *= 10
        isNumber = true
      case UInt8(ascii: ".") where scale == 0: scale = 1
      default: return nil
      }
    }
    guard isNumber else { return nil }
    return scale > 0 ? digits / scale : digits
  }
}
