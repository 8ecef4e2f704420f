import VDSQFormat
import VDSQTokenizers

/// Compiles the regular expressions of tokenizer files, in Oniguruma's syntax, to the program of
/// the runtime.
///
/// It supports what tokenizers use: alternation, groups, look-ahead, greedy and possessive
/// repetition, classes, general categories and `(?i:...)`. It refuses other syntax by name.
struct RegexCompiler {
  private let pattern: [Unicode.Scalar]
  private let context: String
  private var position = 0
  private var instructions: [(RegexProgram.Operation, Int, Int, Int)] = []
  private var sets: [CompiledSet] = []
  private var ignoresCase = false
  private var depth = 0
  /// The number of nodes that were compiled; nodes of repetitions count each time.
  private var emitted = 0
  private static let mostEmitted = 1 << 17

  /// The bytes of the program.
  ///
  /// - Parameter context: the file, for error messages.
  /// - Throws: `badInput` if the pattern is malformed or uses unsupported syntax.
  static func compile(_ pattern: String, context: String) throws(VDSQError) -> [UInt8] {
    var compiler = RegexCompiler(pattern: Array(pattern.unicodeScalars), context: context)
    let tree = try compiler.alternation()
    guard compiler.position == compiler.pattern.count else {
      throw compiler.failure("a parenthesis too many")
    }
    try compiler.emit(tree)
    compiler.instructions.append((.match, 0, 0, 0))
    return try compiler.encoded()
  }

  /// A pattern that matches a text literally.
  static func literal(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      "\\^$.|?*+()[]{}-#&".unicodeScalars.contains(scalar) ? "\\\(scalar)" : "\(scalar)"
    }.joined()
  }

  private init(pattern: [Unicode.Scalar], context: String) {
    self.pattern = pattern
    self.context = context
  }

  // MARK: Syntax

  private indirect enum Node {
    case set(Int)
    case sequence([Node])
    case choice([Node])
    case repetition(Node, least: Int, most: Int, possessive: Bool)
    case look(Node, negative: Bool)
    case anchor(RegexProgram.Operation)

    /// The minimum number of scalars that a match takes.
    var least: Int {
      switch self {
      case .set: 1
      case .sequence(let parts): parts.reduce(0) { $0 + $1.least }
      case .choice(let parts): parts.map(\.least).min() ?? 0
      // Bounded, because nested repetitions multiply.
      case .repetition(let part, let least, _, _): min(part.least, 1 << 20) * min(least, 1 << 20)
      case .look, .anchor: 0
      }
    }
  }

  private func failure(_ what: String) -> VDSQError {
    .badInput(
      "\(context): the regular expression \(String(String.UnicodeScalarView(pattern))): \(what)")
  }

  private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
    position + offset < pattern.count ? pattern[position + offset] : nil
  }

  private mutating func take(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard pattern[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  private mutating func alternation() throws(VDSQError) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 32 else { throw failure("nested too deeply") }
    var choices = [try sequence()]
    while take("|") { choices.append(try sequence()) }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private mutating func sequence() throws(VDSQError) -> Node {
    var parts: [Node] = []
    while let scalar = peek(), scalar != "|", scalar != ")" {
      let atom = try atom()
      parts.append(try repeated(atom))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func repeated(_ atom: Node) throws(VDSQError) -> Node {
    var node = atom
    while let scalar = peek() {
      var (least, most) = (0, Int(UInt32.max))
      switch scalar {
      case "*": position += 1
      case "+":
        position += 1
        least = 1
      case "?":
        position += 1
        most = 1
      case "{":
        guard let bounds = try bounds() else { return node }
        (least, most) = bounds
      default: return node
      }
      // In Oniguruma's Ruby syntax a plus after braces repeats the repetition, which matches the
      // same texts.
      let possessive = take("+")
      guard peek() != "?" else { throw failure("lazy repetition is not supported") }
      guard atom.least > 0 || most == 1 else { throw failure("a repetition of what may be empty") }
      node = .repetition(node, least: least, most: most, possessive: possessive)
    }
    return node
  }

  /// Parses `{n}`, `{n,}`, `{n,m}` or `{,m}`. Nil if the brace is literal text.
  private mutating func bounds() throws(VDSQError) -> (Int, Int)? {
    let start = position
    position += 1
    let least = number()
    let hasComma = take(",")
    let most = hasComma ? number() : least
    guard take("}"), least != nil || most != nil else {
      position = start
      throw failure("a brace that is no repetition")
    }
    let range = (least ?? 0, most ?? Int(UInt32.max))
    guard range.0 <= range.1, range.0 <= 1000 else { throw failure("a repetition out of range") }
    return range
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let digit = peek(), digit >= "0", digit <= "9" {
      value = min((value ?? 0) * 10 + Int(digit.value - 48), 1 << 20)
      position += 1
    }
    return value
  }

  private mutating func atom() throws(VDSQError) -> Node {
    guard let scalar = peek() else { throw failure("it ends early") }
    switch scalar {
    case "(": return try group()
    case "[": return add(try bracket())
    case ".":
      position += 1
      return add(CompiledSet(inverted: true, parts: [.init(ranges: [(10, 10)])]))
    case "^":
      position += 1
      return .anchor(.start)
    case "$":
      position += 1
      return .anchor(.end)
    case "\\":
      if take("\\A") { return .anchor(.start) }
      if take("\\z") { return .anchor(.end) }
      return add(CompiledSet(inverted: false, parts: [try escape()]))
    case "*", "+", "?": throw failure("a repetition of nothing")
    default:
      position += 1
      return add(CompiledSet(inverted: false, parts: [.init(ranges: cases(scalar.value))]))
    }
  }

  private mutating func group() throws(VDSQError) -> Node {
    let before = ignoresCase
    var look: Bool?
    if take("(?=") {
      look = false
    } else if take("(?!") {
      look = true
    } else if take("(?i:") {
      ignoresCase = true
    } else if take("(?:") || (peek(1) != "?" && take("(")) {
    } else {
      throw failure("a kind of group that is not supported")
    }
    let node = try alternation()
    guard take(")") else { throw failure("a parenthesis is missing") }
    ignoresCase = before
    return look.map { .look(node, negative: $0) } ?? node
  }

  /// A scalar, and its other cases if case is ignored.
  private func cases(_ value: UInt32) -> [(UInt32, UInt32)] {
    guard ignoresCase, let scalar = Unicode.Scalar(value) else { return [(value, value)] }
    var all = [value]
    for other in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping]
    where other.unicodeScalars.count == 1 { all.append(other.unicodeScalars.first!.value) }
    // The long s and the Kelvin sign fold to ASCII letters too.
    if all.contains(0x73) { all.append(0x17F) }
    if all.contains(0x6B) { all.append(0x212A) }
    return all.map { ($0, $0) }
  }

  /// Parses the character after a backslash as a part of a set.
  private mutating func escape() throws(VDSQError) -> CompiledSet.Part {
    position += 1
    guard let scalar = peek() else { throw failure("it ends early") }
    position += 1
    switch scalar {
    case "s", "S": return .init(inverted: scalar == "S", ranges: CompiledSet.whitespace)
    case "d", "D": return .init(inverted: scalar == "D", categories: GeneralCategory.nd.bit)
    case "w", "W": return .init(inverted: scalar == "W", categories: CompiledSet.word)
    case "p", "P": return try property(inverted: scalar == "P")
    case "n": return .init(ranges: [(10, 10)])
    case "r": return .init(ranges: [(13, 13)])
    case "t": return .init(ranges: [(9, 9)])
    case "f": return .init(ranges: [(12, 12)])
    case "v": return .init(ranges: [(11, 11)])
    case "x", "u":
      let value = try hexadecimal(digits: scalar == "x" ? 2 : 4)
      return .init(ranges: [(value, value)])
    case "a"..."z", "A"..."Z", "0"..."9":
      throw failure("the escape \\\(scalar) is not supported")
    default: return .init(ranges: [(scalar.value, scalar.value)])
    }
  }

  private mutating func hexadecimal(digits: Int) throws(VDSQError) -> UInt32 {
    let braced = take("{")
    var value: UInt32 = 0
    var count = 0
    while count < (braced ? 6 : digits), let scalar = peek(),
      let digit = Character(scalar).hexDigitValue
    {
      value = value << 4 | UInt32(digit)
      position += 1
      count += 1
    }
    guard count > 0, !braced || take("}") else { throw failure("a malformed hexadecimal escape") }
    return value
  }

  /// `\p{Lu}`, `\p{L}`, `\pL`, `\p{^L}` or `\p{Han}`.
  private mutating func property(inverted: Bool) throws(VDSQError) -> CompiledSet.Part {
    var name = ""
    if take("{") {
      while let scalar = peek(), scalar != "}" {
        name.unicodeScalars.append(scalar)
        position += 1
      }
      guard take("}") else { throw failure("a brace is missing") }
    } else if let scalar = peek() {
      name = String(scalar)
      position += 1
    }
    let isInverted = inverted != name.hasPrefix("^")
    if name.hasPrefix("^") { name.removeFirst() }
    guard let part = CompiledSet.property(name, inverted: isInverted) else {
      throw failure("the property \(name) is not supported")
    }
    return part
  }

  private mutating func bracket() throws(VDSQError) -> CompiledSet {
    position += 1
    let inverted = take("^")
    var parts: [CompiledSet.Part] = []
    var isFirst = true
    while let scalar = peek(), scalar != "]" || isFirst {
      isFirst = false
      if scalar == "[" {
        throw failure("a set within a set is not supported")
      }
      guard !(scalar == "&" && peek(1) == "&") else {
        throw failure("an intersection of sets is not supported")
      }
      var part: CompiledSet.Part
      if scalar == "\\" {
        part = try escape()
      } else {
        position += 1
        part = .init(ranges: [(scalar.value, scalar.value)])
      }
      if let low = part.single, peek() == "-", let next = peek(1), next != "]" {
        position += 1
        var high: UInt32? = next.value
        if next == "\\" {
          high = try escape().single
        } else {
          position += 1
        }
        guard let high, low <= high else { throw failure("a malformed range") }
        part = .init(ranges: [(low, high)])
      } else if let single = part.single {
        part = .init(ranges: cases(single))
      }
      parts.append(part)
    }
    guard take("]") else { throw failure("a bracket is missing") }
    return CompiledSet(inverted: inverted, parts: parts)
  }

  private mutating func add(_ set: CompiledSet) -> Node {
    sets.append(set)
    return .set(sets.count - 1)
  }

  // MARK: Code

  /// - Throws: `badInput` if nested repetitions make the program larger than any tokenizer needs.
  private mutating func emit(_ node: Node) throws(VDSQError) {
    emitted += 1
    guard emitted <= Self.mostEmitted else { throw failure("too long") }
    switch node {
    case .set(let index): instructions.append((.set, index, 0, 0))
    case .sequence(let parts): for part in parts { try emit(part) }
    case .choice(let parts):
      var jumps: [Int] = []
      for part in parts.dropLast() {
        let split = instructions.count
        instructions.append((.split, split + 1, 0, 0))
        try emit(part)
        jumps.append(instructions.count)
        instructions.append((.jump, 0, 0, 0))
        instructions[split].2 = instructions.count
      }
      try emit(parts.last!)
      for jump in jumps { instructions[jump].1 = instructions.count }
    case .anchor(let operation): instructions.append((operation, 0, 0, 0))
    case .look(let part, let negative):
      let look = instructions.count
      instructions.append((.look, 0, negative ? 1 : 0, 0))
      try emit(part)
      instructions.append((.match, 0, 0, 0))
      instructions[look].1 = instructions.count
    case .repetition(.set(let index), let least, let most, let possessive):
      instructions.append((possessive ? .possessive : .loop, index, least, most))
    case .repetition(let part, let least, let most, _):
      // In tokenizers, nothing after these groups could match the scalars that they would give
      // back.
      for _ in 0..<least { try emit(part) }
      if most == Int(UInt32.max) {
        let split = instructions.count
        instructions.append((.split, split + 1, 0, 0))
        try emit(part)
        instructions.append((.jump, split, 0, 0))
        instructions[split].2 = instructions.count
      } else {
        var splits: [Int] = []
        for _ in least..<most {
          splits.append(instructions.count)
          instructions.append((.split, instructions.count + 1, 0, 0))
          try emit(part)
        }
        for split in splits { instructions[split].2 = instructions.count }
      }
    }
  }

  private func encoded() throws(VDSQError) -> [UInt8] {
    guard instructions.count <= 1 << 16, sets.count <= 1 << 12 else { throw failure("too long") }
    var out = ByteWriter()
    out.append(UInt32(instructions.count))
    out.append(UInt32(sets.count))
    for (operation, a, b, c) in instructions {
      out.append(operation.rawValue)
      for operand in [a, b, c] { out.append(UInt32(operand)) }
    }
    for set in sets { set.encode(to: &out) }
    return out.bytes
  }
}
