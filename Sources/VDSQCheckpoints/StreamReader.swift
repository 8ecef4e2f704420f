import VDSQFormat

/// Reads a file's fields one after another through a small buffer.
struct StreamReader {
  private let file: InputFile
  private(set) var position = 0
  private var buffer: [UInt8] = []
  private var bufferStart = 0
  private static let bufferLength = 1 << 16
  /// Whether the last text had bytes that are no UTF-8, which were replaced.
  private(set) var replacedBytes = false

  var path: String { file.path }

  init(_ file: InputFile) { self.file = file }

  /// - Throws: `badInput` if the file has fewer bytes left.
  mutating func take(_ count: Int) throws(VDSQError) -> [UInt8] {
    guard count >= 0, count <= file.length - position else {
      throw .badInput("\(path): truncated at byte \(position)")
    }
    if position < bufferStart || position + count > bufferStart + buffer.count {
      let length = min(max(count, Self.bufferLength), file.length - position)
      buffer = try file.bytes(at: position, count: length)
      bufferStart = position
    }
    defer { position += count }
    return Array(buffer[position - bufferStart..<position - bufferStart + count])
  }

  mutating func integer<T: FixedWidthInteger>(_: T.Type) throws(VDSQError) -> T {
    try take(MemoryLayout<T>.size).withUnsafeBytes { T(littleEndian: $0.loadUnaligned(as: T.self)) }
  }

  /// Reads a count of eight bytes.
  mutating func count(_ what: @autoclosure () -> String, _ limit: Int) throws(VDSQError) -> Int {
    let value = try integer(UInt64.self)
    guard value <= UInt64(limit) else {
      throw .badInput("\(path): \(value) for \(what()) is more than any model has")
    }
    return Int(value)
  }

  /// Reads a length of eight bytes and that many bytes of UTF-8. Bytes that are no UTF-8 are
  /// replaced.
  mutating func text(_ limit: Int) throws(VDSQError) -> String {
    let bytes = try take(try count("a text's length", limit))
    let text = String(validating: bytes, as: UTF8.self)
    replacedBytes = text == nil
    return text ?? String(decoding: bytes, as: UTF8.self)
  }
}
