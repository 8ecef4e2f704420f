import VDSQFormat

/// The filters of Jinja and the methods of Python's texts and dictionaries that templates use.
enum JinjaFilter {
  /// `value | name(arguments)`.
  static func apply(
    _ name: String, _ value: JinjaValue, _ arguments: [JinjaValue],
    _ options: [String: JinjaValue]
  ) throws(JinjaError) -> JinjaValue {
    switch (name, value) {
    case ("trim", .string), ("upper", .string), ("lower", .string), ("title", .string),
      ("replace", .string):
      return try call(name == "trim" ? "strip" : name, value, arguments)
    case ("string", _):
      guard let text = value.text else { break }
      return .string(text)
    case ("length", .string(let text)), ("count", .string(let text)):
      return .integer(text.unicodeScalars.count)
    case ("length", .list(let all)), ("count", .list(let all)): return .integer(all.count)
    case ("length", .dictionary(let all)), ("count", .dictionary(let all)):
      return .integer(all.count)
    case ("first", .list(let all)): return all.first ?? .undefined
    case ("last", .list(let all)): return all.last ?? .undefined
    case ("list", .list), ("safe", _), ("int", .integer), ("items", .list): return value
    case ("reverse", .list(let all)): return .list(all.reversed())
    case ("items", .dictionary): return try call("items", value, [])
    case ("default", _), ("d", _):
      let isFalseEnough = (options["boolean"] ?? arguments.dropFirst().first)?.isTrue ?? false
      let standard = options["default_value"] ?? arguments.first ?? .string("")
      return value.isUndefined || isFalseEnough && !value.isTrue ? standard : value
    case ("join", .list(let all)):
      let texts = all.compactMap(\.text)
      guard texts.count == all.count else { break }
      return .string(texts.joined(separator: arguments.first?.text ?? ""))
    case ("selectattr", .list(let all)), ("rejectattr", .list(let all)):
      guard let key = arguments.first?.text else { break }
      let isSelecting = name == "selectattr"
      guard arguments.count == 1 || arguments.count == 3,
        arguments.count == 1
          || ["equalto", "eq", "=="].contains(arguments[1].text ?? "")
      else { break }
      return .list(
        all.filter {
          let member = $0.member(key)
          return (arguments.count == 1 ? member.isTrue : member == arguments[2]) == isSelecting
        })
    case ("map", .list(let all)):
      guard let key = options["attribute"]?.text else { break }
      return .list(all.map { $0.member(key) })
    default: break
    }
    throw .unsupported("the filter \(name) is not supported here")
  }

  /// `value.name(arguments)`.
  static func call(
    _ name: String, _ value: JinjaValue, _ arguments: [JinjaValue]
  ) throws(JinjaError) -> JinjaValue {
    switch value {
    case .string(let text): return try call(name, text, arguments)
    case .dictionary(let members):
      switch name {
      case "items":
        return .list(members.map { .list([.string($0.key), $0.value]) })
      case "keys": return .list(members.map { .string($0.key) })
      case "values": return .list(members.map(\.value))
      case "get":
        guard let key = arguments.first?.text else { break }
        let found = value.member(key)
        return found.isUndefined ? arguments.dropFirst().first ?? .none : found
      default: break
      }
    default: break
    }
    throw .unsupported("the method \(name) is not supported here")
  }

  private static func call(
    _ name: String, _ text: String, _ arguments: [JinjaValue]
  ) throws(JinjaError) -> JinjaValue {
    var texts: [String] = []
    for argument in arguments {
      guard case .string(let own) = argument else {
        throw .unsupported("the method \(name) with what is no text")
      }
      texts.append(own)
    }
    let scalars = Array(text.unicodeScalars)
    // Python strips any of some characters.
    func strips(_ scalar: Unicode.Scalar) -> Bool {
      texts.first.map { $0.unicodeScalars.contains(scalar) } ?? WhiteSpace.contains(scalar.value)
    }
    func string(_ scalars: some Sequence<Unicode.Scalar>) -> JinjaValue {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars)
      return .string(String(view))
    }
    let first = scalars.firstIndex { !strips($0) } ?? scalars.count
    let last = scalars.lastIndex { !strips($0) } ?? first - 1
    switch (name, texts.count) {
    case ("strip", 0...1): return string(scalars[first..<max(first, last + 1)])
    case ("lstrip", 0...1): return string(scalars[first...])
    case ("rstrip", 0...1): return string(scalars[..<max(0, last + 1)])
    case ("upper", 0): return .string(text.uppercased())
    case ("lower", 0): return .string(text.lowercased())
    case ("capitalize", 0), ("title", 0):
      var isStart = true
      return .string(
        String(
          text.map { c -> Character in
            defer { isStart = name == "title" ? !c.isLetter : false }
            return Character(isStart ? c.uppercased() : c.lowercased())
          }))
    case ("startswith", 1): return .bool(text.utf8.starts(with: texts[0].utf8))
    case ("endswith", 1):
      return .bool(text.utf8.reversed().starts(with: texts[0].utf8.reversed()))
    case ("split", 1):
      guard !texts[0].isEmpty else { break }
      return .list(
        text.split(separator: texts[0], omittingEmptySubsequences: false).map {
          .string(String($0))
        })
    case ("replace", 2):
      guard !texts[0].isEmpty else { break }
      return .string(text.replacing(texts[0], with: texts[1]))
    default: break
    }
    throw .unsupported("the method \(name) is not supported")
  }
}
