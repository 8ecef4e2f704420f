/// Decodes UTF-8 that may be invalid. Each maximal invalid part becomes U+FFFD, as in the Unicode
/// standard (section 3.9, "maximal subparts") and in other decoders.
package struct UTF8Decoder {
  private let bytes: UnsafeRawBufferPointer
  /// The offset of the next scalar, in bytes.
  package private(set) var position = 0
  /// The number of replacements so far.
  package private(set) var replaced = 0

  /// Starts at the first byte. The bytes must outlive the decoder.
  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next scalar value, or nil at the end.
  package mutating func next() -> UInt32? {
    guard position < bytes.count else { return nil }
    let lead = bytes[position]
    position += 1
    if lead < 0x80 { return UInt32(lead) }
    let trailing: Int
    var low: UInt8 = 0x80
    var high: UInt8 = 0xBF
    switch lead {
    case 0xC2...0xDF: trailing = 1
    case 0xE0: (trailing, low) = (2, 0xA0)
    case 0xED: (trailing, high) = (2, 0x9F)
    case 0xE1...0xEF: trailing = 2
    case 0xF0: (trailing, low) = (3, 0x90)
    case 0xF4: (trailing, high) = (3, 0x8F)
    case 0xF1...0xF3: trailing = 3
    default: return replacement()
    }
    var scalar = UInt32(lead) & (0x3F >> UInt32(trailing))
    for _ in 0..<trailing {
      guard position < bytes.count, bytes[position] >= low, bytes[position] <= high else {
        return replacement()
      }
      scalar = scalar << 6 | UInt32(bytes[position] & 0x3F)
      position += 1
      (low, high) = (0x80, 0xBF)
    }
    return scalar
  }

  private mutating func replacement() -> UInt32 {
    replaced += 1
    return 0xFFFD
  }

  /// The number of replacements in decoding `bytes`; 0 for valid UTF-8.
  package static func replacements(in bytes: UnsafeRawBufferPointer) -> Int {
    var decoder = UTF8Decoder(bytes)
    while decoder.next() != nil {}
    return decoder.replaced
  }
}

extension [UInt8] {
  /// Appends the UTF-8 of a scalar value.
  package mutating func append(scalar: UInt32) {
    switch scalar {
    case 0..<0x80:
      append(UInt8(scalar))
    case 0x80..<0x800:
      append(UInt8(0xC0 | scalar >> 6))
      append(UInt8(0x80 | scalar & 0x3F))
    case 0x800..<0x10000:
      append(UInt8(0xE0 | scalar >> 12))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    default:
      append(UInt8(0xF0 | scalar >> 18))
      append(UInt8(0x80 | scalar >> 12 & 0x3F))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    }
  }
}
