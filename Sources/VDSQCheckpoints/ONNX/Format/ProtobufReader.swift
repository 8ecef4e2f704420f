import VDSQFormat

/// Reads the fields of one message of Protocol Buffers in a file, one after another.
///
/// Contents of fields are ranges of the file: nothing is read, and nothing allocated, by a length
/// that a field claims before the length is known to lie within the message.
struct ProtobufReader {
  /// The value of a field.
  enum Value {
    case integer(UInt64)
    case float(UInt32)
    case double(UInt64)
    /// A message, a text, or packed numbers: a range of the file.
    case bytes(Range<Int>)
  }

  private let window: FileWindow
  private var position: Int
  private let end: Int

  var path: String { window.file.path }

  /// - Parameter range: the message, within the file.
  init(_ window: FileWindow, _ range: Range<Int>) {
    self.window = window
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the end of the message.
  ///
  /// - Throws: `badInput` if the field is malformed or ends behind the message.
  mutating func next() throws(VDSQError) -> (number: Int, value: Value)? {
    guard position < end else { return nil }
    let start = position
    let key = try varint()
    guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw malformed(start) }
    let value: Value
    switch key & 7 {
    case 0: value = .integer(try varint())
    case 1: value = .double(try fixed(8))
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else { throw malformed(start) }
      value = .bytes(position..<position + Int(length))
      position += Int(length)
    case 5: value = .float(UInt32(try fixed(4)))
    default: throw malformed(start)
    }
    return (Int(key >> 3), value)
  }

  /// Reads the whole message as packed varints, at most `limit` of them.
  mutating func varints(atMost limit: Int) throws(VDSQError) -> [UInt64] {
    var values: [UInt64] = []
    while position < end {
      guard values.count < limit else { throw malformed(position) }
      values.append(try varint())
    }
    return values
  }

  private mutating func varint() throws(VDSQError) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard position < end else { throw malformed(start) }
      let byte = try window.byte(at: position)
      position += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw malformed(start)
  }

  private mutating func fixed(_ count: Int) throws(VDSQError) -> UInt64 {
    guard count <= end - position else { throw malformed(position) }
    var value: UInt64 = 0
    for i in 0..<count { value |= UInt64(try window.byte(at: position + i)) << UInt64(8 * i) }
    position += count
    return value
  }

  private func malformed(_ place: Int) -> VDSQError {
    .badInput("\(path): malformed at byte \(place): this is no ONNX file, or a damaged one")
  }

  /// A message within this one.
  func message(_ value: Value) throws(VDSQError) -> ProtobufReader {
    guard case .bytes(let range) = value else { throw malformed(position) }
    return ProtobufReader(window, range)
  }

  /// The longest text of a field.
  private static let longestText = 1 << 16

  /// A field that is a text.
  func text(_ value: Value) throws(VDSQError) -> String {
    guard case .bytes(let range) = value, range.count <= Self.longestText else {
      throw malformed(position)
    }
    return String(
      decoding: try window.file.bytes(at: range.lowerBound, count: range.count), as: UTF8.self)
  }

  /// A field that is an integer.
  func integer(_ value: Value) throws(VDSQError) -> Int {
    guard case .integer(let bits) = value else { throw malformed(position) }
    return Int(truncatingIfNeeded: bits)
  }

  /// A repeated field of integers: one of them, or all of them packed.
  func integers(_ value: Value, atMost limit: Int) throws(VDSQError) -> [Int] {
    switch value {
    case .integer(let bits): return [Int(truncatingIfNeeded: bits)]
    case .bytes(let range):
      var packed = ProtobufReader(window, range)
      return try packed.varints(atMost: limit).map { Int(truncatingIfNeeded: $0) }
    default: throw malformed(position)
    }
  }
}

/// A part of a file in memory that follows what is read.
final class FileWindow {
  let file: InputFile
  private var buffer: [UInt8] = []
  private var start = 0
  private static let length = 1 << 16

  init(_ file: InputFile) { self.file = file }

  /// - Parameter position: within the file.
  func byte(at position: Int) throws(VDSQError) -> UInt8 {
    if position < start || position >= start + buffer.count {
      buffer = try file.bytes(
        at: position, count: min(Self.length, file.length - position))
      start = position
    }
    return buffer[position - start]
  }
}
