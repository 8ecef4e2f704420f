import VDSQFormat

/// The mark with which some programs begin text files.
enum ByteOrderMark {
  /// Whether more bytes are needed to tell if a text begins with a mark.
  static func mayContinue(_ bytes: UnsafeRawBufferPointer) -> Bool {
    switch bytes.count {
    case 0: true
    case 1: bytes[0] == 0xEF || bytes[0] >= 0xFE
    case 2: bytes[0] == 0xEF && bytes[1] == 0xBB
    default: false
    }
  }

  /// The length of the UTF-8 mark with which a text begins; 0 if it begins with none.
  ///
  /// - Parameter name: the name of the text in error messages.
  /// - Throws: `badInput` if it begins with the mark of UTF-16.
  static func length(
    in bytes: UnsafeRawBufferPointer, name: String
  ) throws(VDSQError) -> Int {
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { return 3 }
    if bytes.count >= 2, bytes[0] ^ bytes[1] == 0x01, bytes[0] >= 0xFE {
      throw .badInput("\(name): UTF-16; convert it with iconv -f UTF-16 -t UTF-8")
    }
    return 0
  }
}
