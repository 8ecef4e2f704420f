import VDSQFormat

/// A recursive-descent parser over bytes with a limit on depth. It validates a document, or reads
/// values of a validated one.
struct JSONParser {
  let bytes: UnsafeRawBufferPointer
  let context: String
  var position = 0

  init(bytes: UnsafeRawBufferPointer, context: String, position: Int = 0) {
    self.bytes = bytes
    self.context = context
    self.position = position
  }

  mutating func checkDocument() throws(VDSQError) {
    try check(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw malformed("something follows the document") }
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

  /// Consumes `byte` if it comes next.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func check(depth: Int) throws(VDSQError) {
    guard depth < JSON.maximumDepth else { throw malformed("nested too deeply") }
    skipSpace()
    guard position < bytes.count else { throw malformed("it ends too early") }
    switch bytes[position] {
    case UInt8(ascii: "{"): try checkObject(depth: depth)
    case UInt8(ascii: "["): try checkArray(depth: depth)
    default: _ = try leaf()
    }
  }

  private mutating func leaf() throws(VDSQError) -> JSON {
    switch bytes[position] {
    case UInt8(ascii: "\""): .string(try string())
    case UInt8(ascii: "t"): try word("true", .bool(true))
    case UInt8(ascii: "f"): try word("false", .bool(false))
    case UInt8(ascii: "n"): try word("null", .null)
    default: .number(try number())
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

  private mutating func checkObject(depth: Int) throws(VDSQError) {
    let start = position
    position += 1
    // Hashes rather than keys, because a vocabulary has many keys.
    var hashes: Set<Int> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return }
    while true {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw malformed("a key is missing")
      }
      let keyStart = position
      let key = try string()
      if !hashes.insert(Self.hash(key)).inserted, has(key, from: start, before: keyStart) {
        throw malformed("the key \"\(key)\" is there twice")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw malformed("a colon is missing") }
      try check(depth: depth + 1)
      skipSpace()
      if take(UInt8(ascii: "}")) { return }
      guard take(UInt8(ascii: ",")) else { throw malformed("a comma is missing") }
    }
  }

  /// Keys are compared byte by byte, because `String` equality would identify canonical
  /// equivalents, which are different tokens in a vocabulary.
  private static func hash(_ key: String) -> Int {
    var hasher = Hasher()
    for byte in key.utf8 { hasher.combine(byte) }
    return hasher.finalize()
  }

  /// Whether an object that was validated up to `end` has the key.
  private func has(_ key: String, from start: Int, before end: Int) -> Bool {
    var parser = JSONParser(bytes: bytes, context: context, position: start + 1)
    while parser.hasNext, parser.position < end {
      if parser.checkedKey().utf8.elementsEqual(key.utf8) { return true }
      parser.skipValue()
    }
    return false
  }

  private mutating func checkArray(depth: Int) throws(VDSQError) {
    position += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return }
    while true {
      try check(depth: depth + 1)
      skipSpace()
      if take(UInt8(ascii: "]")) { return }
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
    guard Self.isNumber(bytes[start..<position]), let number = Double(text), number.isFinite else {
      position = start
      throw malformed("not a value")
    }
    return number
  }

  /// Whether bytes are a number of RFC 8259: without leading zeros, and with digits on both sides
  /// of a point.
  private static func isNumber(_ bytes: some Sequence<UInt8>) -> Bool {
    var rest = Array(bytes)[...]
    func take(_ characters: StaticString) -> Bool {
      guard let first = rest.first,
        characters.withUTF8Buffer({ $0.contains(first) })
      else { return false }
      rest.removeFirst()
      return true
    }
    func takeDigits() -> Bool {
      guard take("0123456789") else { return false }
      while take("0123456789") {}
      return true
    }
    _ = take("-")
    guard take("0") || takeDigits() else { return false }
    if take("."), !takeDigits() { return false }
    if take("eE") {
      _ = take("+-")
      if !takeDigits() { return false }
    }
    return rest.isEmpty
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
      // A lone surrogate is not a character.
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

  // MARK: Documents that were checked

  /// Advances to the next element or member; returns whether there is one.
  var hasNext: Bool {
    mutating get {
      skipSpace()
      if take(UInt8(ascii: ",")) { skipSpace() }
      return position < bytes.count && bytes[position] != UInt8(ascii: "]")
        && bytes[position] != UInt8(ascii: "}")
    }
  }

  /// Reads the key of a member and advances to its value.
  mutating func checkedKey() -> String {
    let key = checked { (parser) throws(VDSQError) in try parser.string() }
    skipSpace()
    position += 1
    return key
  }

  /// Reads a value. `container` makes arrays and objects from their positions.
  mutating func checkedValue(_ container: (Int) -> JSON) -> JSON {
    skipSpace()
    let start = position
    switch bytes[position] {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      skipValue()
      return container(start)
    default:
      return checked { (parser) throws(VDSQError) in try parser.leaf() }
    }
  }

  /// Skips a value.
  mutating func skipValue() {
    skipSpace()
    var depth = 0
    repeat {
      switch bytes[position] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        position += 1
      case UInt8(ascii: "\""): skipString()
      case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: _ = checked { (parser) throws(VDSQError) in try parser.leaf() }
      }
    } while depth > 0
  }

  private mutating func skipString() {
    position += 1
    while bytes[position] != UInt8(ascii: "\"") {
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    position += 1
  }

  private mutating func checked<Value>(
    _ read: (inout JSONParser) throws(VDSQError) -> Value
  ) -> Value {
    do { return try read(&self) } catch { fatalError("a checked document: \(error.message)") }
  }
}
