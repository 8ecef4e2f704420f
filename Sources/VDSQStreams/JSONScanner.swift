package import VDSQFormat

/// Reads one JSON document (RFC 8259) where it lies. Every value is checked; none is copied, so that
/// memory does not depend on the document.
///
///     var scanner = JSONScanner(line)
///     try scanner.members { (scanner, key) throws(VDSQError) in
///       let value = try scanner.value()
///     }
///     try scanner.end()
package struct JSONScanner {
  /// The kind of a value.
  package enum Kind: Sendable { case object, array, string, number, boolean, null }

  /// A value of the document.
  package struct Value: Sendable {
    /// Its kind.
    package let kind: Kind
    /// Where it is; a string without its quotes.
    package let range: Range<Int>
  }

  /// Deeper nesting is refused.
  package static let maximumDepth = 64

  /// The document.
  package let bytes: UnsafeRawBufferPointer
  private var position = 0
  private var depth = 0

  /// Starts at the first byte. The bytes must outlive the scanner.
  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The first byte of the next value; nil at the end.
  package mutating func peek() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return bytes[position]
      }
    }
    return nil
  }

  /// Reads the next value, with everything in it.
  ///
  /// - Throws: `badInput`, naming the byte at which the document is malformed.
  package mutating func value() throws(VDSQError) -> Value {
    let first = peek()
    let start = position
    let kind: Kind
    switch first {
    case UInt8(ascii: "{"):
      kind = .object
      try members { (scanner, _) throws(VDSQError) in _ = try scanner.value() }
    case UInt8(ascii: "["):
      kind = .array
      try elements { (scanner) throws(VDSQError) in _ = try scanner.value() }
    case UInt8(ascii: "\""): return Value(kind: .string, range: try string())
    case UInt8(ascii: "t"):
      kind = .boolean
      try word("true")
    case UInt8(ascii: "f"):
      kind = .boolean
      try word("false")
    case UInt8(ascii: "n"):
      kind = .null
      try word("null")
    case nil: throw malformed("it ends too early")
    default:
      kind = .number
      try number()
    }
    return Value(kind: kind, range: start..<position)
  }

  /// Reads an object. `member` is called with the range of each key, and reads the value.
  ///
  /// - Throws: `badInput`, naming the byte at which the document is malformed or is no object.
  package mutating func members(
    _ member: (inout JSONScanner, _ key: Range<Int>) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    try open(UInt8(ascii: "{"), "an object is missing")
    if try !closes(UInt8(ascii: "}")) {
      repeat {
        guard peek() == UInt8(ascii: "\"") else { throw malformed("a key is missing") }
        let key = try string()
        guard take(UInt8(ascii: ":")) else { throw malformed("a colon is missing") }
        try member(&self, key)
      } while try continues(until: UInt8(ascii: "}"))
    }
    depth -= 1
  }

  /// Reads an array. `element` is called for each element, and reads it.
  ///
  /// - Throws: `badInput`, naming the byte at which the document is malformed or is no array.
  package mutating func elements(
    _ element: (inout JSONScanner) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    try open(UInt8(ascii: "["), "an array is missing")
    if try !closes(UInt8(ascii: "]")) {
      repeat { try element(&self) } while try continues(until: UInt8(ascii: "]"))
    }
    depth -= 1
  }

  /// Checks that the document ends here.
  ///
  /// - Throws: `badInput` if something follows.
  package mutating func end() throws(VDSQError) {
    if peek() != nil { throw malformed("something follows the document") }
  }

  /// Where the next byte is.
  var offset: Int { position }

  private func malformed(_ what: StaticString) -> VDSQError {
    .badInput("malformed JSON at byte \(position): \(what)")
  }

  /// Consumes a byte if it comes next, behind white space.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  private mutating func open(_ bracket: UInt8, _ what: StaticString) throws(VDSQError) {
    guard take(bracket) else { throw malformed(what) }
    guard depth < Self.maximumDepth else { throw malformed("nested too deeply") }
    depth += 1
  }

  private mutating func closes(_ bracket: UInt8) throws(VDSQError) -> Bool {
    if peek() == nil { throw malformed("it ends too early") }
    return take(bracket)
  }

  private mutating func continues(until bracket: UInt8) throws(VDSQError) -> Bool {
    if try closes(bracket) { return false }
    guard take(UInt8(ascii: ",")) else { throw malformed("a comma is missing") }
    return true
  }

  private mutating func word(_ text: StaticString) throws(VDSQError) {
    let end = position + text.utf8CodeUnitCount
    let matches =
      end <= bytes.count && text.withUTF8Buffer { bytes[position..<end].elementsEqual($0) }
    guard matches else { throw malformed("not a value") }
    position = end
  }

  private mutating func number() throws(VDSQError) {
    let start = position
    if at(UInt8(ascii: "-")) { position += 1 }
    let isWhole = at(UInt8(ascii: "0"))
    var isNumber = digits(atMost: isWhole ? 1 : Int.max)
    if isNumber, at(UInt8(ascii: ".")) {
      position += 1
      isNumber = digits()
    }
    if isNumber, at(UInt8(ascii: "e")) || at(UInt8(ascii: "E")) {
      position += 1
      if at(UInt8(ascii: "+")) || at(UInt8(ascii: "-")) { position += 1 }
      isNumber = digits()
    }
    guard isNumber else {
      position = start
      throw malformed("not a value")
    }
  }

  private func at(_ byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }

  /// Consumes digits; returns whether there is one.
  private mutating func digits(atMost limit: Int = Int.max) -> Bool {
    let start = position
    while position < bytes.count, position - start < limit, bytes[position] >= 0x30,
      bytes[position] <= 0x39
    { position += 1 }
    return position > start
  }

  /// Reads a string; returns where it is, without its quotes.
  private mutating func string() throws(VDSQError) -> Range<Int> {
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return start..<position - 1
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw malformed("a control character in a string")
      default: position += 1
      }
    }
    throw malformed("a string does not end")
  }

  private mutating func escape() throws(VDSQError) {
    guard position + 1 < bytes.count else { throw malformed("a string does not end") }
    switch bytes[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
    case UInt8(ascii: "u"):
      for i in 2..<6 where position + i >= bytes.count || Self.digit(bytes[position + i]) == nil {
        throw malformed("not four hexadecimal digits")
      }
      position += 6
    default: throw malformed("an unknown escape")
    }
  }
}

extension JSONScanner {
  /// Whether a string of the document stands for itself, without escapes.
  func isPlain(_ range: Range<Int>) -> Bool {
    !bytes[range].contains(UInt8(ascii: "\\"))
  }

  /// Appends what a string of the document stands for. Bytes that are not UTF-8 are kept; half of a
  /// surrogate pair becomes U+FFFD.
  ///
  /// - Parameter range: the range of a string's `Value`, or of a key.
  /// - Returns: the number of halves of surrogate pairs.
  @discardableResult
  package func decode(_ range: Range<Int>, into text: inout [UInt8]) -> Int {
    var replaced = 0
    var i = range.lowerBound
    while i < range.upperBound {
      guard bytes[i] == UInt8(ascii: "\\") else {
        text.append(bytes[i])
        i += 1
        continue
      }
      let escape = bytes[i + 1]
      i += 2
      switch escape {
      case UInt8(ascii: "b"): text.append(8)
      case UInt8(ascii: "f"): text.append(12)
      case UInt8(ascii: "n"): text.append(10)
      case UInt8(ascii: "r"): text.append(13)
      case UInt8(ascii: "t"): text.append(9)
      case UInt8(ascii: "u"):
        var scalar = unit(at: i)
        i += 4
        if scalar >> 10 == 0x36, i + 6 <= range.upperBound, bytes[i] == UInt8(ascii: "\\"),
          bytes[i + 1] == UInt8(ascii: "u"), unit(at: i + 2) >> 10 == 0x37
        {
          scalar = 0x10000 + (scalar - 0xD800) << 10 + (unit(at: i + 2) - 0xDC00)
          i += 6
        }
        if scalar >> 11 == 0x1B {
          scalar = 0xFFFD
          replaced += 1
        }
        text.append(scalar: scalar)
      default: text.append(escape)
      }
    }
    return replaced
  }

  private func unit(at start: Int) -> UInt32 {
    var value: UInt32 = 0
    for i in start..<start + 4 { value = value << 4 | UInt32(Self.digit(bytes[i]) ?? 0) }
    return value
  }

  /// The value of a hexadecimal digit.
  fileprivate static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
