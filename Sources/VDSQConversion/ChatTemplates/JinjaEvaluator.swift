/// Runs a Jinja template over variables.
struct JinjaEvaluator {
  private var scopes: [[String: JinjaValue]]
  private var output = ""
  private var steps = 0
  /// No chat takes more steps; a template that does not end is refused.
  private static let mostSteps = 200_000
  /// The longest text in bytes; none of a chat is as long.
  private static let longestText = 1 << 20

  private enum Flow { case next, stop, skip }

  /// The text of a template.
  static func render(
    _ nodes: [JinjaNode], _ variables: [String: JinjaValue]
  ) throws(JinjaError) -> String {
    var evaluator = JinjaEvaluator(scopes: [variables])
    _ = try evaluator.run(nodes)
    return evaluator.output
  }

  private init(scopes: [[String: JinjaValue]]) { self.scopes = scopes }

  private mutating func step() throws(JinjaError) {
    steps += 1
    guard steps < Self.mostSteps, output.utf8.count <= Self.longestText else {
      throw .unsupported("it does not end")
    }
  }

  private mutating func run(_ nodes: [JinjaNode]) throws(JinjaError) -> Flow {
    for node in nodes {
      try step()
      switch node {
      case .text(let text): output += text
      case .output(let expression): output += try text(try value(of: expression))
      case .branch(let branches):
        for (condition, body) in branches {
          if let condition, !(try value(of: condition).isTrue) { continue }
          let flow = try run(body)
          guard flow == .next else { return flow }
          break
        }
      case .loop(let names, let items, let condition, let body, let otherwise):
        try loop(names, items, condition, body, otherwise)
      case .set(let name, let member, let expression):
        let new = try value(of: expression)
        if let member {
          guard case .namespace(let space) = lookUp(name) else {
            throw .unsupported("\(name).\(member) is set, and \(name) is no namespace")
          }
          space.members[member] = new
        } else {
          scopes[scopes.count - 1][name] = new
        }
      case .stop: return .stop
      case .skip: return .skip
      }
    }
    return .next
  }

  private mutating func loop(
    _ names: [String], _ items: JinjaExpression, _ condition: JinjaExpression?,
    _ body: [JinjaNode], _ otherwise: [JinjaNode]
  ) throws(JinjaError) {
    let source = try value(of: items)
    guard var all = elements(of: source) else {
      if source.isUndefined {
        _ = try run(otherwise)
        return
      }
      throw .unsupported("a loop over what is no list")
    }
    scopes.append([:])
    defer { scopes.removeLast() }
    if let condition {
      var kept: [JinjaValue] = []
      for item in all {
        try bind(names, item)
        if try value(of: condition).isTrue { kept.append(item) }
      }
      all = kept
    }
    if all.isEmpty {
      _ = try run(otherwise)
      return
    }
    for (index, item) in all.enumerated() {
      try step()
      scopes[scopes.count - 1] = [:]
      try bind(names, item)
      scopes[scopes.count - 1]["loop"] = .dictionary([
        ("index", .integer(index + 1)), ("index0", .integer(index)),
        ("revindex", .integer(all.count - index)), ("revindex0", .integer(all.count - index - 1)),
        ("first", .bool(index == 0)), ("last", .bool(index == all.count - 1)),
        ("length", .integer(all.count)),
        ("previtem", index > 0 ? all[index - 1] : .undefined),
        ("nextitem", index + 1 < all.count ? all[index + 1] : .undefined),
      ])
      if try run(body) == .stop { break }
    }
  }

  private mutating func bind(_ names: [String], _ item: JinjaValue) throws(JinjaError) {
    if names.count == 1 {
      scopes[scopes.count - 1][names[0]] = item
      return
    }
    guard case .list(let parts) = item, parts.count == names.count else {
      throw .unsupported("a loop over several names and other items")
    }
    for (name, part) in zip(names, parts) { scopes[scopes.count - 1][name] = part }
  }

  private func lookUp(_ name: String) -> JinjaValue {
    for scope in scopes.reversed() {
      if let value = scope[name] { return value }
    }
    return .undefined
  }

  private func elements(of value: JinjaValue) -> [JinjaValue]? {
    switch value {
    case .list(let all): all
    case .dictionary(let all): all.map { .string($0.key) }
    case .string(let text): text.unicodeScalars.map { .string(String($0)) }
    default: nil
    }
  }

  private func text(_ value: JinjaValue) throws(JinjaError) -> String {
    guard let text = value.text else {
      throw .unsupported("it writes a value that is no text")
    }
    return text
  }

  // MARK: Expressions

  private mutating func value(of expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    try step()
    switch expression {
    case .literal(let value): return value
    case .name(let name): return lookUp(name)
    case .list(let all): return .list(try values(of: all))
    case .dictionary(let all):
      var members: [(key: String, value: JinjaValue)] = []
      for (key, item) in all {
        members.append((try text(try value(of: key)), try value(of: item)))
      }
      return .dictionary(members)
    case .member(let base, let name):
      let base = try value(of: base)
      try checkDefined(base, name)
      return base.member(name)
    case .item(let base, let key): return try item(try value(of: base), try value(of: key))
    case .slice(let base, let parts):
      var bounds: [Int?] = []
      for part in parts {
        guard let part else {
          bounds.append(nil)
          continue
        }
        guard case .integer(let n) = try value(of: part) else {
          throw .unsupported("a slice by what is no integer")
        }
        bounds.append(n)
      }
      return try slice(try value(of: base), bounds)
    case .call(let function, let plain, let named): return try call(function, plain, named)
    case .filter(let base, let name, let plain, let named):
      let base = try value(of: base)
      return try JinjaFilter.apply(name, base, try values(of: plain), try pairs(of: named))
    case .test(let base, let name, let operands):
      return .bool(try test(try value(of: base), name, try values(of: operands)))
    case .unary(let symbol, let operand):
      let operand = try value(of: operand)
      if symbol == "not" { return .bool(!operand.isTrue) }
      if case .integer(let n) = operand { return .integer(0 &- n) }
      throw .unsupported("- before what is no integer")
    case .binary(let symbol, let left, let right): return try binary(symbol, left, right)
    case .conditional(let condition, let then, let otherwise):
      if try value(of: condition).isTrue { return try value(of: then) }
      return try otherwise.map { (other) throws(JinjaError) in try value(of: other) } ?? .undefined
    }
  }

  private mutating func values(
    of all: [JinjaExpression]
  ) throws(JinjaError) -> [JinjaValue] {
    var values: [JinjaValue] = []
    for expression in all { values.append(try value(of: expression)) }
    return values
  }

  private mutating func pairs(
    of all: [(String, JinjaExpression)]
  ) throws(JinjaError) -> [String: JinjaValue] {
    var values: [String: JinjaValue] = [:]
    for (name, expression) in all { values[name] = try value(of: expression) }
    return values
  }

  private func checkDefined(_ base: JinjaValue, _ name: String) throws(JinjaError) {
    if base.isUndefined { throw .unsupported("\(name) of what is not defined") }
  }

  private func item(
    _ base: JinjaValue, _ key: JinjaValue
  ) throws(JinjaError) -> JinjaValue {
    switch (base, key) {
    case (_, .string(let name)):
      try checkDefined(base, name)
      return base.member(name)
    case (.list(let all), .integer(let n)):
      let place = n < 0 ? all.count + n : n
      return all.indices.contains(place) ? all[place] : .undefined
    case (.string(let text), .integer(let n)):
      let all = Array(text.unicodeScalars)
      let place = n < 0 ? all.count + n : n
      return all.indices.contains(place) ? .string(String(all[place])) : .undefined
    default: throw .unsupported("an item of what has none")
    }
  }

  /// Python's slices with a step of 1 or -1.
  private func slice(
    _ base: JinjaValue, _ bounds: [Int?]
  ) throws(JinjaError) -> JinjaValue {
    guard let all = elements(of: base) else { throw .unsupported("a slice of what is no list") }
    let step = bounds.count > 2 ? bounds[2] ?? 1 : 1
    let end = bounds.count > 1 ? bounds[1] : nil
    func place(_ bound: Int) -> Int {
      max(0, min(all.count, bound < 0 ? all.count + bound : bound))
    }
    let kept: [JinjaValue]
    if step == 1 {
      let first = place(bounds[0] ?? 0)
      kept = Array(all[first..<max(first, place(end ?? all.count))])
    } else if step == -1, bounds[0] == nil, end == nil {
      kept = all.reversed()
    } else {
      throw .unsupported("a slice with another step than 1 and -1")
    }
    guard case .string = base else { return .list(kept) }
    return .string(kept.compactMap(\.text).joined())
  }

  private mutating func binary(
    _ symbol: String, _ left: JinjaExpression, _ right: JinjaExpression
  ) throws(JinjaError) -> JinjaValue {
    let a = try value(of: left)
    if symbol == "and" { return a.isTrue ? try value(of: right) : a }
    if symbol == "or" { return a.isTrue ? a : try value(of: right) }
    let b = try value(of: right)
    switch symbol {
    case "==": return .bool(a == b)
    case "!=": return .bool(!(a == b))
    case "~": return try joined(try text(a), try text(b))
    case "in": return .bool(try contains(b, a))
    case "+":
      switch (a, b) {
      case (.string(let x), .string(let y)): return try joined(x, y)
      case (.list(let x), .list(let y)):
        guard x.count + y.count < Self.mostSteps else { throw .unsupported("it does not end") }
        return .list(x + y)
      case (.string, _), (_, .string):
        // Python raises; templates that join what is not there refuse such a chat.
        throw .raised("a text joined with what is none")
      default: break
      }
    case "<", ">", "<=", ">=":
      guard let x = a.double, let y = b.double else { break }
      return .bool(symbol == "<" ? x < y : symbol == ">" ? x > y : symbol == "<=" ? x <= y : x >= y)
    default: break
    }
    guard case .integer(let x) = a, case .integer(let y) = b else {
      throw .unsupported("\(symbol) of what are no integers")
    }
    switch symbol {
    case "+": return .integer(x &+ y)
    case "-": return .integer(x &- y)
    case "*": return .integer(x &* y)
    case "%", "//":
      guard y != 0 else { throw .raised("a division by zero") }
      // Of two different signs, the rest has the divisor's, as in Python.
      let plain = x.remainderReportingOverflow(dividingBy: y).partialValue
      let rest = plain != 0 && (plain < 0) != (y < 0) ? plain &+ y : plain
      return .integer(
        symbol == "%" ? rest : (x &- rest).dividedReportingOverflow(by: y).partialValue)
    default: throw .unsupported("the operator \(symbol) is not supported")
    }
  }

  private func joined(_ x: String, _ y: String) throws(JinjaError) -> JinjaValue {
    guard x.utf8.count + y.utf8.count <= Self.longestText else {
      throw .unsupported("a text is too long")
    }
    return .string(x + y)
  }

  private func contains(_ all: JinjaValue, _ item: JinjaValue) throws(JinjaError) -> Bool {
    switch (all, item) {
    case (.string(let text), .string(let part)): return part.isEmpty || text.contains(part)
    case (.list(let list), _): return list.contains { $0 == item }
    case (.dictionary(let members), .string(let key)): return members.contains { $0.key == key }
    case (.undefined, _): return false
    default: throw .unsupported("in of what has no elements")
    }
  }

  private func test(
    _ value: JinjaValue, _ name: String, _ operands: [JinjaValue]
  ) throws(JinjaError) -> Bool {
    switch (name, value) {
    case ("defined", _): return !value.isUndefined
    case ("undefined", _): return value.isUndefined
    case ("none", .none), ("string", .string), ("mapping", .dictionary), ("boolean", .bool),
      ("number", .integer), ("number", .number), ("integer", .integer), ("sequence", .list),
      ("sequence", .string), ("sequence", .dictionary), ("iterable", .list),
      ("iterable", .string), ("iterable", .dictionary), ("float", .number):
      return true
    case ("true", .bool(let flag)): return flag
    case ("false", .bool(let flag)): return !flag
    case ("none", _), ("string", _), ("mapping", _), ("boolean", _), ("number", _),
      ("integer", _), ("sequence", _), ("iterable", _), ("true", _), ("false", _), ("float", _):
      return false
    case ("odd", .integer(let n)): return n % 2 != 0
    case ("even", .integer(let n)): return n % 2 == 0
    case ("equalto", _), ("eq", _), ("sameas", _):
      guard let operand = operands.first else { break }
      return value == operand
    case ("ne", _):
      guard let operand = operands.first else { break }
      return !(value == operand)
    case ("in", _):
      guard let operand = operands.first else { break }
      return try contains(operand, value)
    default: break
    }
    throw .unsupported("the test \(name) is not supported")
  }

  private mutating func call(
    _ function: JinjaExpression, _ plain: [JinjaExpression], _ named: [(String, JinjaExpression)]
  ) throws(JinjaError) -> JinjaValue {
    let arguments = try values(of: plain)
    let options = try pairs(of: named)
    if case .member(let base, let name) = function {
      return try JinjaFilter.call(name, try value(of: base), arguments)
    }
    guard case .name(let name) = function else {
      throw .unsupported("a call of what is no function")
    }
    switch name {
    case "raise_exception": throw .raised(arguments.first?.text ?? "")
    case "namespace":
      let space = JinjaNamespace()
      space.members = options
      return .namespace(space)
    case "dict": return .dictionary(options.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    case "range":
      var bounds: [Int] = []
      for argument in arguments {
        guard case .integer(let n) = argument, n.magnitude < 10_000 else {
          throw .unsupported("a range of what are no small integers")
        }
        bounds.append(n)
      }
      guard (1...2).contains(bounds.count) else { throw .unsupported("a range with a step") }
      let first = bounds.count == 2 ? bounds[0] : 0
      return .list((first..<max(first, bounds.last!)).map { .integer($0) })
    default: throw .unsupported("the function \(name) is not supported")
    }
  }
}
