/// Appends little-endian fields.
public struct ByteWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public var count: Int { bytes.count }

  public mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  public mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  public mutating func append(_ value: Float) { append(value.bitPattern) }

  public mutating func append(bytes more: [UInt8]) { bytes.append(contentsOf: more) }

  public mutating func append(bytes more: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: more)
  }

  /// Appends zeros up to a length.
  public mutating func pad(to length: Int) {
    while bytes.count < length { bytes.append(0) }
  }

  /// Appends zeros up to the next multiple of `alignment`.
  public mutating func align(to alignment: Int) {
    pad(to: (bytes.count + alignment - 1) / alignment * alignment)
  }
}
