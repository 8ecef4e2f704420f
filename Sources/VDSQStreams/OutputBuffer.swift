import CShims
package import VDSQFormat

/// Collects output for a file descriptor until it is flushed.
///
/// Allocates only while its buffer grows. Numbers with fixed decimals are written without the
/// standard library's float printing, which the smallest program does without.
package final class OutputBuffer {
  private let descriptor: Int32?
  /// The bytes that were written and not flushed.
  package private(set) var bytes: [UInt8] = []

  /// - Parameter descriptor: the destination; nil discards the output.
  package init(descriptor: Int32?) {
    self.descriptor = descriptor
    bytes.reserveCapacity(1 << 13)
  }

  /// Writes everything out and empties the buffer.
  ///
  /// - Throws: `internalFault` if the output cannot be written to.
  package func flush() throws(VDSQError) {
    guard let descriptor else { return bytes.removeAll(keepingCapacity: true) }
    let ok = bytes.withUnsafeBytes {
      vdsq_write_all(descriptor, $0.baseAddress, Int64($0.count))
    }
    bytes.removeAll(keepingCapacity: true)
    guard ok else {
      throw VDSQError(.internalFault, "the output cannot be written: \(lastErrorText())")
    }
  }

  /// Writes everything out if it is much, so that memory does not grow with what a batch has.
  ///
  /// - Throws: `internalFault` if the output cannot be written to.
  package func flushIfLong() throws(VDSQError) {
    if bytes.count >= Self.long { try flush() }
  }

  private static let long = 1 << 16

  /// Forgets what was written and not flushed.
  package func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// UTF-8 as it is.
  package func write(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// UTF-8 as it is.
  package func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Bytes as they are.
  package func write(_ raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }

  /// One byte as it is.
  func write(byte: UInt8) { bytes.append(byte) }

  /// A number in decimal digits.
  package func write(_ number: Int) {
    if number < 0 { bytes.append(0x2D) }
    // From the highest digit down, so that nothing has to be stored or allocated.
    var place: UInt = 1
    while number.magnitude / place >= 10 { place *= 10 }
    while place > 0 {
      bytes.append(0x30 + UInt8(number.magnitude / place % 10))
      place /= 10
    }
  }

  /// A number with a fixed number of decimals, rounded to the nearest; halves away from zero.
  ///
  /// - Parameter decimals: 1 or more.
  /// - Note: writes `nan` for what is not finite, or is 2^62 or more in units of the last decimal.
  package func write(_ number: Float, decimals: Int) { write(Double(number), decimals: decimals) }

  /// A number with a fixed number of decimals, as for `Float`.
  package func write(_ number: Double, decimals: Int) {
    if !writeIfFinite(number, decimals: decimals) { write("nan") }
  }

  /// - Returns: whether the number can be written in this form. If not, nothing is written.
  func writeIfFinite(_ number: Double, decimals: Int) -> Bool {
    var unit = 1
    for _ in 0..<decimals { unit *= 10 }
    let magnitude = (number.magnitude * Double(unit)).rounded()
    guard magnitude < 0x1p62 else { return false }
    let scaled = Int(magnitude)
    if number < 0, scaled > 0 { bytes.append(0x2D) }
    write(scaled / unit)
    bytes.append(0x2E)
    var place = unit / 10
    while place > 0 {
      bytes.append(0x30 + UInt8(scaled / place % 10))
      place /= 10
    }
    return true
  }

  /// UTF-8 in which invalid parts become U+FFFD, and control characters become spaces.
  package func writeJSON(_ raw: UnsafeRawBufferPointer) {
    var decoder = UTF8Decoder(raw)
    while let scalar = decoder.next() { bytes.append(scalar: max(scalar, 0x20)) }
  }

  /// A text as a JSON string with its quotes. Invalid parts become U+FFFD.
  package func writeQuoted(text raw: UnsafeRawBufferPointer) {
    bytes.append(0x22)
    var decoder = UTF8Decoder(raw)
    while let scalar = decoder.next() {
      if scalar < 0x80 { writeEscaped(UInt8(scalar)) } else { bytes.append(scalar: scalar) }
    }
    bytes.append(0x22)
  }

  /// A text in a column of tab-separated text: tabs, line ends and backslashes as `\t`, `\n`, `\r`
  /// and `\\`. Invalid parts become U+FFFD.
  package func writeColumn(_ raw: UnsafeRawBufferPointer) {
    var decoder = UTF8Decoder(raw)
    while let scalar = decoder.next() {
      switch scalar {
      case 0x09: write("\\t")
      case 0x0A: write("\\n")
      case 0x0D: write("\\r")
      case 0x5C: write("\\\\")
      default: bytes.append(scalar: scalar)
      }
    }
  }

  /// A JSON string with its quotes (RFC 8259). Everything but control characters, quotes and
  /// backslashes stands for itself.
  ///
  /// - Parameter utf8: valid UTF-8.
  package func writeQuoted(_ utf8: some Sequence<UInt8>) {
    bytes.append(0x22)
    for byte in utf8 { writeEscaped(byte) }
    bytes.append(0x22)
  }

  private func writeEscaped(_ byte: UInt8) {
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
}
