/// Appends little-endian fields.
package struct ByteWriter: Sendable {
  /// The bytes written so far, in order.
  package private(set) var bytes: [UInt8] = []

  /// Starts with no bytes.
  package init() {}

  /// The number of bytes written so far, which is the offset of the next field.
  package var count: Int { bytes.count }

  /// Reserves memory for `count` bytes in total. It changes no bytes.
  package mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  /// Appends an integer in little-endian order, as many bytes as the width of `T`.
  package mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends the four bytes of an IEEE 754 single-precision number.
  package mutating func append(_ value: Float) { append(value.bitPattern) }

  /// Appends bytes as they are, without a length before them.
  package mutating func append(bytes more: [UInt8]) { bytes.append(contentsOf: more) }

  /// Copies bytes as they are, without a length before them.
  package mutating func append(bytes more: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: more)
  }

  /// Appends zeros up to a length.
  package mutating func pad(to length: Int) {
    while bytes.count < length { bytes.append(0) }
  }

  /// Appends zeros up to the next multiple of `alignment`.
  package mutating func align(to alignment: Int) {
    pad(to: (bytes.count + alignment - 1) / alignment * alignment)
  }
}
