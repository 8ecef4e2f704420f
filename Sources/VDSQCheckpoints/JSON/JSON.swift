package import VDSQFormat

/// A JSON document (RFC 8259). Objects keep the order of their keys and refuse duplicate keys: in
/// the header of a checkpoint a duplicate is an attack, elsewhere a mistake.
///
/// A document is validated as a whole, but values are parsed on access. So a tokenizer of many
/// megabytes takes little more memory than its text.
package enum JSON: Sendable, Equatable {
  /// The literal `null`.
  case null
  /// The literal `true` or `false`.
  case bool(Bool)
  /// A number as a double; integers of magnitude below 2^53 are exact.
  case number(Double)
  /// A string with its escapes decoded.
  case string(String)
  /// An array in memory.
  case array([JSON])
  /// An object in memory, its members in the order of the document.
  case object([Member])
  /// An array or an object of a document, kept as text.
  case unread(Unread)

  /// A key of an object with its value.
  package struct Member: Sendable, Equatable {
    /// The key, with its escapes decoded; unique in its object.
    package let key: String
    /// The value; arrays and objects of a document are `unread`.
    package let value: JSON

    package static func == (a: Self, b: Self) -> Bool {
      a.key.hasSameBytes(as: b.key) && a.value == b.value
    }
  }

  /// The position of an array or an object in a validated document.
  package struct Unread: Sendable {
    fileprivate let text: [UInt8]
    fileprivate let position: Int
  }

  /// Deeper nesting is refused. The files that are read here have a few levels.
  package static let maximumDepth = 64

  /// - Parameter context: the file, for error messages.
  /// - Throws: `badInput`, naming the byte at which the document is malformed.
  package init(parsing bytes: [UInt8], context: String) throws(VDSQError) {
    try bytes.withBytes { (raw) throws(VDSQError) in
      var parser = JSONParser(bytes: raw, context: context)
      try parser.checkDocument()
    }
    self = Self.value(in: bytes, at: 0).json
  }

  /// Validates a copy of the bytes.
  ///
  /// - Throws: `badInput`, naming the byte at which the document is malformed.
  package init(parsing bytes: UnsafeRawBufferPointer, context: String) throws(VDSQError) {
    try self.init(parsing: Array(bytes), context: context)
  }

  /// A value of a validated document.
  private static func value(in text: [UInt8], at position: Int) -> (json: JSON, end: Int) {
    text.withUnsafeBytes { bytes in
      var parser = JSONParser(bytes: bytes, context: "", position: position)
      let json = parser.checkedValue { .unread(Unread(text: text, position: $0)) }
      return (json, parser.position)
    }
  }

  /// An object of members with different keys.
  package init(members: [(key: String, value: JSON)]) {
    self = .object(members.map { Member(key: $0.key, value: $0.value) })
  }

  /// A number that is an integer.
  package static func integer(_ value: Int) -> JSON { .number(Double(value)) }

  /// The value of a key; nil if there is none or this is no object. The search is linear.
  package subscript(_ key: String) -> JSON? {
    switch self {
    case .object(let members): return members.first { $0.key.hasSameBytes(as: key) }?.value
    case .unread(let unread):
      var found: JSON?
      unread.forEachMember {
        if $0.hasSameBytes(as: key) { found = $1() }
        return found == nil
      }
      return found
    default: return nil
    }
  }

  /// Calls `body` with each member of an object, until it returns false.
  package func forEachMember(_ body: (_ key: String, _ value: JSON) -> Bool) {
    switch self {
    case .object(let members): _ = members.allSatisfy { body($0.key, $0.value) }
    case .unread(let unread): unread.forEachMember { body($0, $1()) }
    default: break
    }
  }

  /// The members in the order of the document; nil if this is no object.
  package var members: [Member]? {
    switch self {
    case .object(let members): return members
    case .unread(let unread) where unread.isObject:
      var members: [Member] = []
      unread.forEachMember {
        members.append(Member(key: $0, value: $1()))
        return true
      }
      return members
    default: return nil
    }
  }

  /// The elements of an array; nil if this is no array.
  package var elements: [JSON]? {
    switch self {
    case .array(let elements): return elements
    case .unread(let unread) where !unread.isObject: return unread.elements
    default: return nil
    }
  }

  /// The string; nil if this is no string.
  package var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// The number; nil if this is no number.
  package var double: Double? {
    guard case .number(let number) = self else { return nil }
    return number
  }

  /// The number if it is an integer that a double represents exactly.
  package var integer: Int? {
    guard case .number(let number) = self, number.magnitude < 0x1p53 else { return nil }
    return Int(exactly: number)
  }

  /// The value of `true` or `false`; nil if this is neither.
  package var boolean: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  /// Whether this is the literal `null`, as opposed to a missing value.
  package var isNull: Bool {
    if case .null = self { true } else { false }
  }

  package static func == (a: JSON, b: JSON) -> Bool {
    if let a = a.members, let b = b.members { return a == b }
    if let a = a.elements, let b = b.elements { return a == b }
    return switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.string(let a), .string(let b)): a.hasSameBytes(as: b)
    default: false
    }
  }
}

extension JSON.Unread {
  fileprivate var isObject: Bool { text[position] == UInt8(ascii: "{") }

  fileprivate var elements: [JSON] {
    text.withUnsafeBytes { bytes in
      var parser = JSONParser(bytes: bytes, context: "", position: position + 1)
      var elements: [JSON] = []
      while parser.hasNext {
        elements.append(parser.checkedValue { .unread(JSON.Unread(text: text, position: $0)) })
      }
      return elements
    }
  }

  /// Calls `body` with each key and a reader of its value, until it returns false.
  fileprivate func forEachMember(_ body: (String, () -> JSON) -> Bool) {
    guard isObject else { return }
    text.withUnsafeBytes { bytes in
      var parser = JSONParser(bytes: bytes, context: "", position: position + 1)
      while parser.hasNext {
        let key = parser.checkedKey()
        let start = parser.position
        var isRead = false
        let goesOn = body(key) {
          isRead = true
          return parser.checkedValue { .unread(JSON.Unread(text: text, position: $0)) }
        }
        guard goesOn else { return }
        if !isRead {
          parser.position = start
          parser.skipValue()
        }
      }
    }
  }
}
