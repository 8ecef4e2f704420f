public import VDSQFormat

/// A JSON document (RFC 8259). Objects keep their order and refuse a key that is there twice: in a
/// checkpoint's header that is an attack, and elsewhere a mistake.
public enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  public struct Member: Sendable, Equatable {
    public let key: String
    public let value: JSON
  }

  /// Nesting beyond it is refused: no file this reads is deeper than a few levels.
  public static let maximumDepth = 64

  /// - Parameter context: the file, for error messages.
  /// - Throws: `badInput`, naming the byte where the document is malformed.
  public init(parsing bytes: UnsafeRawBufferPointer, context: String) throws(VDSQError) {
    var parser = JSONParser(bytes: bytes, context: context)
    self = try parser.document()
  }

  public init(parsing bytes: [UInt8], context: String) throws(VDSQError) {
    self = try bytes.withBytes { (raw) throws(VDSQError) in
      try JSON(parsing: raw, context: context)
    }
  }

  public subscript(_ key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  public var members: [Member]? {
    guard case .object(let members) = self else { return nil }
    return members
  }

  public var elements: [JSON]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  public var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  public var double: Double? {
    guard case .number(let number) = self else { return nil }
    return number
  }

  /// The number where it is an integer that a double holds exactly.
  public var integer: Int? {
    guard case .number(let number) = self, number.magnitude < 0x1p53 else { return nil }
    return Int(exactly: number)
  }

  public var boolean: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  public var isNull: Bool { self == .null }
}
