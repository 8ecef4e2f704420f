/// A value of a Jinja template.
enum JinjaValue {
  case undefined, none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case list([JinjaValue])
  /// Members in the order in which they were written.
  case dictionary([(key: String, value: JinjaValue)])
  case namespace(JinjaNamespace)

  /// Python's truth.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let flag): flag
    case .integer(let n): n != 0
    case .number(let x): x != 0
    case .string(let text): !text.isEmpty
    case .list(let all): !all.isEmpty
    case .dictionary(let all): !all.isEmpty
    case .namespace: true
    }
  }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }

  /// The text that `{{ }}` writes; nil for values whose form templates do not rely on.
  var text: String? {
    switch self {
    case .undefined: ""
    case .none: "None"
    case .bool(let flag): flag ? "True" : "False"
    case .integer(let n): "\(n)"
    case .string(let text): text
    case .number, .list, .dictionary, .namespace: nil
    }
  }

  /// A member, or undefined.
  func member(_ key: String) -> JinjaValue {
    switch self {
    case .dictionary(let all): all.first { $0.key == key }?.value ?? .undefined
    case .namespace(let space): space.members[key] ?? .undefined
    default: .undefined
    }
  }

  static func == (a: JinjaValue, b: JinjaValue) -> Bool {
    switch (a, b) {
    case (.undefined, .undefined), (.none, .none): true
    case (.bool(let x), .bool(let y)): x == y
    case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
    case (.list(let x), .list(let y)): x.count == y.count && zip(x, y).allSatisfy { $0 == $1 }
    case (.dictionary(let x), .dictionary(let y)):
      x.count == y.count
        && x.allSatisfy { member in
          y.contains { $0.key == member.key && $0.value == member.value }
        }
    default:
      if let x = a.double, let y = b.double { x == y } else { false }
    }
  }

  /// The number, as which Python also counts true and false.
  var double: Double? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .integer(let n): Double(n)
    case .number(let x): x
    default: nil
    }
  }
}

/// What `namespace()` makes: members that inner loops can set.
final class JinjaNamespace {
  var members: [String: JinjaValue] = [:]
}
