/// Texts that have nothing to read.
package enum BlankText {
  /// Whether a text has only white space, control characters and characters without width.
  ///
  /// - Parameter text: UTF-8; an invalid part is not blank.
  package static func isBlank(_ text: UnsafeRawBufferPointer) -> Bool {
    var decoder = UTF8Decoder(text)
    while let scalar = decoder.next() {
      switch scalar {
      case 0...0x20, 0x7F...0xA0, 0x1680, 0x2000...0x200F, 0x2028...0x202F, 0x205F...0x2064, 0x3000,
        0xFEFF:
        continue
      default: return false
      }
    }
    return true
  }
}
