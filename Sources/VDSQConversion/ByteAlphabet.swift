/// The characters that byte-level tokenizers write bytes as (GPT-2's `bytes_to_unicode`): printable
/// Latin-1 characters stand for themselves, the others follow from U+0100 on.
enum ByteAlphabet {
  private static let bytes: [UInt32: UInt8] = {
    var bytes: [UInt32: UInt8] = [:]
    var next: UInt32 = 256
    for byte in UInt8.min...UInt8.max {
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: bytes[UInt32(byte)] = byte
      default:
        bytes[next] = byte
        next += 1
      }
    }
    return bytes
  }()

  /// The bytes that a token's text stands for, or nil where it has a character that stands for none.
  static func decode(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = bytes[scalar.value] else { return nil }
      out.append(byte)
    }
    return out
  }
}
