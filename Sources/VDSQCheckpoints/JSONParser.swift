import VDSQFormat

/// A recursive-descent parser over bytes, with a limit on depth.
struct JSONParser {
  let bytes: UnsafeRawBufferPointer
  let context: String
  private var position = 0

  init(bytes: UnsafeRawBufferPointer, context: String) {
    self.bytes = bytes
    self.context = context
  }

  mutating func document() throws(VDSQError) -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw malformed("something follows the document") }
    return value
  }

  private func malformed(_ what: String) -> VDSQError {
    .badInput("\(context): malformed JSON at byte \(position): \(what)")
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Takes `byte` where it comes next.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(VDSQError) -> JSON {
    guard depth < JSON.maximumDepth else { throw malformed("nested too deeply") }
    skipSpace()
    guard position < bytes.count else { throw malformed("it ends too early") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws(VDSQError) -> JSON {
    let end = position + text.utf8CodeUnitCount
    let matches =
      end <= bytes.count && text.withUTF8Buffer { bytes[position..<end].elementsEqual($0) }
    guard matches else { throw malformed("an unknown word") }
    position = end
    return value
  }

  private mutating func object(depth: Int) throws(VDSQError) -> JSON {
    position += 1
    var members: [JSON.Member] = []
    var keys: Set<String> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw malformed("a key is missing")
      }
      let key = try string()
      // Keys are compared scalar by scalar: `String` equality would join canonical equivalents,
      // which are different tokens in a vocabulary.
      guard keys.insert(exactKey(key)).inserted else {
        throw malformed("the key \"\(key)\" is there twice")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw malformed("a colon is missing") }
      members.append(JSON.Member(key: key, value: try value(depth: depth + 1)))
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw malformed("a comma is missing") }
    }
  }

  private func exactKey(_ key: String) -> String {
    key.utf8.allSatisfy { $0 < 0x80 } ? key : key.utf8.map { String($0) }.joined(separator: " ")
  }

  private mutating func array(depth: Int) throws(VDSQError) -> JSON {
    position += 1
    var elements: [JSON] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw malformed("a comma is missing") }
    }
  }

  private mutating func number() throws(VDSQError) -> Double {
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
        UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        position += 1
        continue
      default: break
      }
      break
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    let digits = text.first == "-" ? text.dropFirst() : text[...]
    guard let first = digits.utf8.first, first >= 0x30, first <= 0x39,
      let number = Double(text), number.isFinite
    else {
      position = start
      throw malformed("not a value")
    }
    return number
  }

  private mutating func string() throws(VDSQError) -> String {
    position += 1
    var utf8: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: utf8, as: UTF8.self) else {
          throw malformed("a string is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"):
        try escape(into: &utf8)
      case 0..<0x20:
        throw malformed("a control character in a string")
      default:
        utf8.append(byte)
      }
    }
    throw malformed("a string does not end")
  }

  private mutating func escape(into utf8: inout [UInt8]) throws(VDSQError) {
    guard position < bytes.count else { throw malformed("a string does not end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
    case UInt8(ascii: "b"): utf8.append(8)
    case UInt8(ascii: "f"): utf8.append(12)
    case UInt8(ascii: "n"): utf8.append(10)
    case UInt8(ascii: "r"): utf8.append(13)
    case UInt8(ascii: "t"): utf8.append(9)
    case UInt8(ascii: "u"):
      var unit = try hexadecimal()
      if unit >= 0xD800, unit < 0xDC00, position + 1 < bytes.count,
        bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
      {
        let before = position
        position += 2
        let low = try hexadecimal()
        if low >= 0xDC00, low < 0xE000 {
          unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
        } else {
          position = before
        }
      }
      // A surrogate by itself is no character.
      let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
      utf8.append(contentsOf: String(scalar).utf8)
    default:
      throw malformed("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(VDSQError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw malformed("a string does not end") }
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
        throw malformed("not four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
