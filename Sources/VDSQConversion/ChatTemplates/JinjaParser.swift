/// Parses the statements of a Jinja template, as far as chat templates use them.
struct JinjaParser {
  private let parts: [JinjaLexer.Part]
  private var position = 0
  private var depth = 0
  /// The longest template in bytes; real ones have a tenth.
  private static let longestTemplate = 1 << 18
  /// The largest number of statements within each other.
  private static let mostDepth = 64

  /// The parts of a template.
  ///
  /// - Throws: `unsupported`, naming what is not.
  static func parse(_ template: String) throws(JinjaError) -> [JinjaNode] {
    guard template.utf8.count <= longestTemplate else { throw .unsupported("it is too long") }
    var parser = JinjaParser(parts: try JinjaLexer(template).parts)
    let (nodes, end) = try parser.body(until: [])
    guard end == nil else { throw .unsupported("\(end!.name) without its beginning") }
    return nodes
  }

  private init(parts: [JinjaLexer.Part]) { self.parts = parts }

  /// The nodes up to one of some statements, and that statement.
  private mutating func body(
    until ends: [String]
  ) throws(JinjaError) -> ([JinjaNode], (name: String, tokens: JinjaExpressionParser)?) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.mostDepth else { throw .unsupported("statements are too deep") }
    var nodes: [JinjaNode] = []
    while position < parts.count {
      let part = parts[position]
      position += 1
      switch part {
      case .text(let text): nodes.append(.text(text))
      case .output(let tokens):
        var parser = JinjaExpressionParser(tokens)
        nodes.append(.output(try parser.whole()))
      case .statement(let tokens):
        guard case .name(let name)? = tokens.first else {
          throw .unsupported("a statement has no name")
        }
        var rest = JinjaExpressionParser(Array(tokens.dropFirst()))
        if ends.contains(name) { return (nodes, (name, rest)) }
        nodes += try statement(name, &rest)
      }
    }
    guard ends.isEmpty else { throw .unsupported("\(ends.last!) is missing") }
    return (nodes, nil)
  }

  private mutating func statement(
    _ name: String, _ tokens: inout JinjaExpressionParser
  ) throws(JinjaError) -> [JinjaNode] {
    switch name {
    case "if": return [try branch(&tokens)]
    case "for": return [try loop(&tokens)]
    case "set": return [try set(&tokens)]
    case "break": return [.stop]
    case "continue": return [.skip]
    // It marks what the assistant says, and changes nothing.
    case "generation": return try body(until: ["endgeneration"]).0
    default: throw .unsupported("the statement \(name) is not supported")
    }
  }

  private mutating func branch(
    _ tokens: inout JinjaExpressionParser
  ) throws(JinjaError) -> JinjaNode {
    var branches: [(JinjaExpression?, [JinjaNode])] = []
    var condition: JinjaExpression? = try tokens.whole()
    while true {
      let (nodes, end) = try body(until: ["elif", "else", "endif"])
      branches.append((condition, nodes))
      guard var end, end.name != "endif" else { return .branch(branches) }
      condition = end.name == "elif" ? try end.tokens.whole() : nil
    }
  }

  private mutating func loop(
    _ tokens: inout JinjaExpressionParser
  ) throws(JinjaError) -> JinjaNode {
    var names = [try tokens.name()]
    while tokens.take(",") { names.append(try tokens.name()) }
    guard tokens.take(name: "in") else { throw .unsupported("a loop without in") }
    let items = try tokens.disjunction()
    let condition = tokens.take(name: "if") ? try tokens.expression() : nil
    guard tokens.isAtEnd else { throw .unsupported("a loop is not understood") }
    var (nodes, end) = try body(until: ["else", "endfor"])
    var otherwise: [JinjaNode] = []
    if end?.name == "else" { (otherwise, end) = try body(until: ["endfor"]) }
    return .loop(
      names: names, in: items, where: condition, body: nodes, otherwise: otherwise)
  }

  private mutating func set(
    _ tokens: inout JinjaExpressionParser
  ) throws(JinjaError) -> JinjaNode {
    let name = try tokens.name()
    let member = tokens.take(".") ? try tokens.name() : nil
    guard tokens.take("=") else { throw .unsupported("set without = is not supported") }
    return .set(name: name, member: member, try tokens.whole())
  }
}

/// Parses expressions, from the one that binds least to the one that binds most.
struct JinjaExpressionParser {
  private let tokens: [JinjaLexer.Token]
  private var position = 0
  private var depth = 0
  /// The largest number of operators and parentheses of an expression, which bounds how deep it is.
  private static let mostParts = 2000
  /// The largest number of parentheses, signs and conditions within each other.
  private static let mostDepth = 64

  init(_ tokens: [JinjaLexer.Token]) { self.tokens = tokens }

  var isAtEnd: Bool { position == tokens.count }

  private var next: JinjaLexer.Token? { position < tokens.count ? tokens[position] : nil }

  mutating func take(_ symbol: String) -> Bool {
    guard next == .symbol(symbol) else { return false }
    position += 1
    return true
  }

  mutating func take(name: String) -> Bool {
    guard next == .name(name) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ symbol: String) throws(JinjaError) {
    guard take(symbol) else { throw .unsupported("\(symbol) is expected in an expression") }
  }

  mutating func name() throws(JinjaError) -> String {
    guard case .name(let name)? = next else { throw .unsupported("a name is expected") }
    position += 1
    return name
  }

  /// An expression that takes all tokens.
  mutating func whole() throws(JinjaError) -> JinjaExpression {
    guard tokens.count <= Self.mostParts else { throw .unsupported("an expression is too long") }
    let expression = try expression()
    guard isAtEnd else { throw .unsupported("an expression is not understood") }
    return expression
  }

  /// Something within something else.
  private mutating func inside(
    _ parse: (inout JinjaExpressionParser) throws(JinjaError) -> JinjaExpression
  ) throws(JinjaError) -> JinjaExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.mostDepth else { throw .unsupported("an expression is too deep") }
    return try parse(&self)
  }

  mutating func expression() throws(JinjaError) -> JinjaExpression {
    try inside { (parser) throws(JinjaError) in try parser.conditional() }
  }

  private mutating func conditional() throws(JinjaError) -> JinjaExpression {
    let value = try disjunction()
    guard take(name: "if") else { return value }
    let condition = try disjunction()
    let otherwise = take(name: "else") ? try expression() : nil
    return .conditional(condition, then: value, otherwise: otherwise)
  }

  mutating func disjunction() throws(JinjaError) -> JinjaExpression {
    var left = try conjunction()
    while take(name: "or") { left = .binary("or", left, try conjunction()) }
    return left
  }

  private mutating func conjunction() throws(JinjaError) -> JinjaExpression {
    var left = try negation()
    while take(name: "and") { left = .binary("and", left, try negation()) }
    return left
  }

  private mutating func negation() throws(JinjaError) -> JinjaExpression {
    guard take(name: "not") else { return try comparison() }
    return .unary("not", try inside { (parser) throws(JinjaError) in try parser.negation() })
  }

  private mutating func comparison() throws(JinjaError) -> JinjaExpression {
    var left = try sum()
    while true {
      if let symbol = ["==", "!=", "<=", ">=", "<", ">"].first(where: { next == .symbol($0) }) {
        position += 1
        left = .binary(symbol, left, try sum())
      } else if take(name: "in") {
        left = .binary("in", left, try sum())
      } else if next == .name("not"), position + 1 < tokens.count,
        tokens[position + 1] == .name("in")
      {
        position += 2
        left = .unary("not", .binary("in", left, try sum()))
      } else {
        return left
      }
    }
  }

  private mutating func sum() throws(JinjaError) -> JinjaExpression {
    var left = try product()
    while let symbol = ["+", "-", "~"].first(where: { next == .symbol($0) }) {
      position += 1
      left = .binary(symbol, left, try product())
    }
    return left
  }

  private mutating func product() throws(JinjaError) -> JinjaExpression {
    var left = try sign()
    while let symbol = ["*", "//", "/", "%"].first(where: { next == .symbol($0) }) {
      position += 1
      left = .binary(symbol, left, try sign())
    }
    return left
  }

  private mutating func sign() throws(JinjaError) -> JinjaExpression {
    guard take("-") else { return try postfix() }
    return .unary("-", try inside { (parser) throws(JinjaError) in try parser.sign() })
  }

  /// An atom with members, items, calls, filters and tests behind it.
  private mutating func postfix() throws(JinjaError) -> JinjaExpression {
    var value = try atom()
    while true {
      if take(".") {
        value = .member(value, try name())
      } else if take("[") {
        value = try subscripted(value)
      } else if take("(") {
        let (plain, named) = try arguments()
        value = .call(value, plain, named)
      } else if take("|") {
        let name = try name()
        let (plain, named) = take("(") ? try arguments() : ([], [])
        value = .filter(value, name, plain, named)
      } else if take(name: "is") {
        let isNegated = take(name: "not")
        let test = try name()
        var operands: [JinjaExpression] = []
        if take("(") {
          operands = try arguments().0
        } else if ["divisibleby", "equalto", "eq", "ne", "sameas"].contains(test) {
          operands = [try inside { (parser) throws(JinjaError) in try parser.postfix() }]
        }
        value = .test(value, test, operands)
        if isNegated { value = .unary("not", value) }
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(
    _ value: JinjaExpression
  ) throws(JinjaError) -> JinjaExpression {
    var parts: [JinjaExpression?] = [nil]
    var isSlice = false
    while !take("]") {
      if take(":") {
        isSlice = true
        parts.append(nil)
      } else {
        guard !isAtEnd else { throw .unsupported("] is expected") }
        parts[parts.count - 1] = try expression()
      }
    }
    if isSlice { return .slice(value, parts) }
    guard let item = parts[0] else { throw .unsupported("an item without its key") }
    return .item(value, item)
  }

  /// Arguments up to the closing parenthesis.
  private mutating func arguments() throws(JinjaError) -> (
    [JinjaExpression], [(String, JinjaExpression)]
  ) {
    var plain: [JinjaExpression] = []
    var named: [(String, JinjaExpression)] = []
    while !take(")") {
      if case .name(let key)? = next, position + 1 < tokens.count,
        tokens[position + 1] == .symbol("=")
      {
        position += 2
        named.append((key, try expression()))
      } else {
        plain.append(try expression())
      }
      if !take(","), next != .symbol(")") { throw .unsupported("arguments are not understood") }
    }
    return (plain, named)
  }

  private mutating func atom() throws(JinjaError) -> JinjaExpression {
    guard let token = next else { throw .unsupported("an expression is missing") }
    position += 1
    switch token {
    case .string(var text):
      // Strings side by side are one.
      while case .string(let more)? = next {
        text += more
        position += 1
      }
      return .literal(.string(text))
    case .integer(let n): return .literal(.integer(n))
    case .number(let x): return .literal(.number(x))
    case .name(let name):
      switch name {
      case "true", "True": return .literal(.bool(true))
      case "false", "False": return .literal(.bool(false))
      case "none", "None": return .literal(.none)
      default: return .name(name)
      }
    case .symbol("("):
      let first = try expression()
      guard take(",") else {
        try expect(")")
        return first
      }
      var all = [first]
      while !take(")") {
        all.append(try expression())
        if !take(","), next != .symbol(")") { throw .unsupported("a tuple is not understood") }
      }
      return .list(all)
    case .symbol("["):
      var all: [JinjaExpression] = []
      while !take("]") {
        all.append(try expression())
        if !take(","), next != .symbol("]") { throw .unsupported("a list is not understood") }
      }
      return .list(all)
    case .symbol("{"):
      var all: [(JinjaExpression, JinjaExpression)] = []
      while !take("}") {
        let key = try expression()
        try expect(":")
        all.append((key, try expression()))
        if !take(","), next != .symbol("}") {
          throw .unsupported("a dictionary is not understood")
        }
      }
      return .dictionary(all)
    case .symbol(let symbol): throw .unsupported("\(symbol) is not expected")
    }
  }
}
