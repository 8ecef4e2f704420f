/// Reads little-endian fields from untrusted bytes.
package struct ByteReader {
  /// All bytes to read, not only those that are left. The caller keeps them alive.
  package let bytes: UnsafeRawBufferPointer
  /// The file and the section of the bytes, for error messages.
  package let context: String
  /// Offset of the next field from the start of `bytes`; 0 to `bytes.count`.
  package private(set) var position = 0

  /// Starts to read at the first byte.
  ///
  /// - Parameter context: the file and the section of the bytes, for error messages.
  package init(_ bytes: UnsafeRawBufferPointer, context: String) {
    self.bytes = bytes
    self.context = context
  }

  /// The number of bytes that are not yet read.
  package var remaining: Int { bytes.count - position }

  /// - Throws: `badInput` if fewer bytes are left.
  package mutating func take(_ count: Int, _ field: StaticString) throws(VDSQError)
    -> UnsafeRawBufferPointer
  {
    guard count >= 0, count <= remaining else {
      throw .badInput("\(context): truncated at \(field), byte \(position)")
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  /// An integer of the width of `T`, aligned or not.
  ///
  /// - Throws: `badInput` if fewer bytes are left. The error names `field`.
  package mutating func integer<T: FixedWidthInteger>(
    _ type: T.Type, _ field: StaticString
  ) throws(VDSQError) -> T {
    let raw = try take(MemoryLayout<T>.size, field)
    return T(littleEndian: raw.loadUnaligned(as: T.self))
  }

  /// A count or an offset that must fit an `Int`.
  package mutating func size(_ field: StaticString) throws(VDSQError) -> Int {
    let value = try integer(UInt64.self, field)
    guard let size = Int(exactly: value) else {
      throw .badInput("\(context): \(field) is \(value), which no file holds")
    }
    return size
  }

  /// An IEEE 754 single-precision number. It may be infinite or NaN.
  ///
  /// - Throws: `badInput` if fewer than four bytes are left. The error names `field`.
  package mutating func float(_ field: StaticString) throws(VDSQError) -> Float {
    Float(bitPattern: try integer(UInt32.self, field))
  }

  /// UTF-8 text. Invalid bytes are replaced, because the text is only used as a name.
  package mutating func text(_ count: Int, _ field: StaticString) throws(VDSQError) -> String {
    String(decoding: try take(count, field), as: UTF8.self)
  }
}
