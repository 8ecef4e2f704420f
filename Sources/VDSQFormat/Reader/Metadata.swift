/// Typed key-value pairs in the order in which they were written: the configuration of a model.
package struct Metadata: Sendable {
  /// A value of one of the three types that the format knows.
  package enum Value: Sendable {
    /// A signed integer of 64 bits.
    case integer(Int)
    /// A double-precision number. It may be infinite or NaN; `number(_:)` rejects these.
    case number(Double)
    /// UTF-8 text, less than 2^32 bytes.
    case text(String)
  }

  /// All pairs in file order. If a key occurs twice, the accessors use its first pair.
  package private(set) var entries: [(key: String, value: Value)] = []
  /// The file, for error messages.
  package let path: String

  /// Starts with no pairs.
  ///
  /// - Parameter path: the file, for error messages.
  package init(path: String = "metadata") { self.path = path }

  /// Appends a pair. It does not replace an earlier pair of the same key, which the accessors
  /// prefer.
  ///
  /// - Parameter key: less than 2^16 bytes of UTF-8.
  package mutating func set(_ key: String, _ value: Value) { entries.append((key, value)) }

  /// The text of a key that is built at run time, or nil.
  package func find(_ key: String) -> String? {
    for entry in entries where entry.key.utf8.elementsEqual(key.utf8) {
      if case .text(let text) = entry.value { return text }
    }
    return nil
  }

  private func value(_ key: StaticString) -> Value? {
    key.withUTF8Buffer { wanted in
      entries.first { $0.key.utf8.elementsEqual(wanted) }?.value
    }
  }

  /// - Throws: `badInput` if the key is absent, or its value is not an integer in `range`.
  package func integer(
    _ key: StaticString, in range: ClosedRange<Int>
  ) throws(VDSQError) -> Int {
    guard case .integer(let n) = value(key) else {
      throw .badInput("\(path): metadata: \(key) is missing or no integer")
    }
    guard range.contains(n) else {
      throw .badInput(
        "\(path): metadata: \(key) is \(n), not in \(range.lowerBound)...\(range.upperBound)")
    }
    return n
  }

  /// An optional integer.
  ///
  /// - Throws: `badInput` if the value is not an integer in `range`.
  package func find(
    integer key: StaticString, in range: ClosedRange<Int>
  ) throws(VDSQError) -> Int? {
    value(key) == nil ? nil : try integer(key, in: range)
  }

  /// - Throws: `badInput` if the key is absent, or its value is not a finite number.
  package func number(_ key: StaticString) throws(VDSQError) -> Double {
    guard case .number(let n) = value(key), n.isFinite else {
      throw .badInput("\(path): metadata: \(key) is missing or no finite number")
    }
    return n
  }

  /// The number of a key; nil if there is no such key.
  ///
  /// - Throws: `badInput` if it is no number.
  package func find(number key: StaticString) throws(VDSQError) -> Double? {
    value(key) == nil ? nil : try number(key)
  }

  /// - Returns: nil if the key is absent.
  /// - Throws: `badInput` if its value is not text.
  package func find(text key: StaticString) throws(VDSQError) -> String? {
    value(key) == nil ? nil : try text(key)
  }

  /// - Throws: `badInput` if the key is absent, or its value is not text.
  package func text(_ key: StaticString) throws(VDSQError) -> String {
    guard case .text(let s) = value(key) else {
      throw .badInput("\(path): metadata: \(key) is missing or no text")
    }
    return s
  }

  /// - Throws: `badInput` if a pair is cut short or of an unknown type.
  init(reading bytes: UnsafeRawBufferPointer, path: String) throws(VDSQError) {
    self.path = path
    var reader = ByteReader(bytes, context: "\(path): metadata")
    while reader.remaining > 0 {
      let keyLength = Int(try reader.integer(UInt16.self, "key length"))
      let key = try reader.text(keyLength, "key")
      switch try reader.integer(UInt8.self, "value type") {
      case 1:
        entries.append((key, .integer(Int(try reader.integer(Int64.self, "integer")))))
      case 2:
        let bits = try reader.integer(UInt64.self, "number")
        entries.append((key, .number(Double(bitPattern: bits))))
      case 3:
        let length = Int(try reader.integer(UInt32.self, "text length"))
        entries.append((key, .text(try reader.text(length, "text"))))
      default:
        throw .badInput("\(path): metadata: \(key) is of an unknown type")
      }
    }
  }

  /// The bytes of the metadata section (docs/format.md), which decode to the same pairs.
  package func encoded() -> [UInt8] {
    var out = ByteWriter()
    for (key, value) in entries {
      out.append(UInt16(key.utf8.count))
      out.append(bytes: Array(key.utf8))
      switch value {
      case .integer(let n):
        out.append(UInt8(1))
        out.append(Int64(n))
      case .number(let n):
        out.append(UInt8(2))
        out.append(n.bitPattern)
      case .text(let s):
        out.append(UInt8(3))
        out.append(UInt32(s.utf8.count))
        out.append(bytes: Array(s.utf8))
      }
    }
    return out.bytes
  }
}
