/// Texts that have nothing to read.
package enum BlankText {
  /// Whether a text has only white space, control characters and characters without width.
  ///
  /// - Parameter text: UTF-8; an invalid part is not blank.
  package static func isBlank(_ text: UnsafeRawBufferPointer) -> Bool {
    var decoder = UTF8Decoder(text)
    while let scalar = decoder.next() {
      switch scalar {
      case 0...0x20, 0x7F...0xA0, 0x1680, 0x2000...0x200F, 0x2028...0x202F, 0x205F...0x206F, 0x3000,
        0xFEFF:
        continue
      // Default_Ignorable_Code_Point of Unicode: soft hyphens, fillers, variation selectors, tags.
      case 0xAD, 0x34F, 0x61C, 0x115F...0x1160, 0x17B4...0x17B5, 0x180B...0x180F, 0x3164,
        0xFE00...0xFE0F, 0xFFA0, 0xFFF0...0xFFF8, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A,
        0xE0000...0xE0FFF:
        continue
      default: return false
      }
    }
    return true
  }
}
