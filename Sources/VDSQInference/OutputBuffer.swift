import CShims
public import VDSQFormat

/// Collects what is written to a file descriptor; numbers without the library's float printing.
public final class OutputBuffer {
  private let descriptor: Int32?
  private var bytes: [UInt8] = []

  /// - Parameter descriptor: where it goes; nil for nowhere.
  public init(descriptor: Int32?) {
    self.descriptor = descriptor
    bytes.reserveCapacity(1 << 13)
  }

  /// - Throws: `internalFault` if the output cannot be written to.
  public func flush() throws(VDSQError) {
    guard let descriptor else { return bytes.removeAll(keepingCapacity: true) }
    let ok = bytes.withUnsafeBytes {
      vdsq_write_all(descriptor, $0.baseAddress, Int64($0.count))
    }
    bytes.removeAll(keepingCapacity: true)
    guard ok else {
      throw VDSQError(.internalFault, "the output cannot be written: \(lastErrorText())")
    }
  }

  public func write(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  public func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

  public func write(_ raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

  public func write(_ number: Int) {
    if number < 0 { bytes.append(0x2D) }
    // From the highest place down, so that nothing is kept, or allocated, in between.
    var place: UInt = 1
    while number.magnitude / place >= 10 { place *= 10 }
    while place > 0 {
      bytes.append(0x30 + UInt8(number.magnitude / place % 10))
      place /= 10
    }
  }

  /// A number of magnitude below 2^40 with a fixed number of decimals; others as `nan`.
  public func write(_ number: Float, decimals: Int) {
    guard number.magnitude < 0x1p40 else { return write("nan") }
    var unit = 1
    for _ in 0..<decimals { unit *= 10 }
    let scaled = Int((Double(number.magnitude) * Double(unit)).rounded())
    if number < 0, scaled > 0 { bytes.append(0x2D) }
    write(scaled / unit)
    bytes.append(0x2E)
    var place = unit / 10
    while place > 0 {
      bytes.append(0x30 + UInt8(scaled / place % 10))
      place /= 10
    }
  }

  /// A JSON string, quotes included.
  public func writeJSON(_ text: String) {
    bytes.append(0x22)
    for byte in text.utf8 {
      switch byte {
      case 0x22, 0x5C:
        bytes.append(0x5C)
        bytes.append(byte)
      case 0x0A: write("\\n")
      case 0x0D: write("\\r")
      case 0x09: write("\\t")
      case 0..<0x20:
        write("\\u00")
        bytes.append(0x30 + byte / 16)
        bytes.append(byte % 16 < 10 ? 0x30 + byte % 16 : 0x57 + byte % 16)
      default: bytes.append(byte)
      }
    }
    bytes.append(0x22)
  }
}
