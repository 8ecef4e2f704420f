/// The white space of Python's `str.isspace`.
package enum WhiteSpace {
  package static func contains(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
      0x205F, 0x3000:
      true
    default: false
    }
  }

  /// The number of bytes of a text before the white space at its end.
  package static func trimmedLength(_ text: UnsafeRawBufferPointer) -> Int {
    var decoder = UTF8Decoder(text)
    var length = 0
    while let scalar = decoder.next() {
      if !contains(scalar) { length = decoder.position }
    }
    return length
  }

  /// The number of bytes of white space at the beginning of a text.
  package static func leadingLength(_ text: UnsafeRawBufferPointer) -> Int {
    var decoder = UTF8Decoder(text)
    var length = 0
    while let scalar = decoder.next(), contains(scalar) { length = decoder.position }
    return length
  }
}
