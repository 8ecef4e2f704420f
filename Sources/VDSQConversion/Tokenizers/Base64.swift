import VDSQCheckpoints
import VDSQFormat
import VDSQTokenizers

/// Base 64 (RFC 4648, section 4).
enum Base64 {
  /// The decoded bytes, or nil if the text is malformed.
  static func decode(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in text.utf8 {
      let value: UInt8
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      case UInt8(ascii: "="), 10, 13: continue
      default: return nil
      }
      bits = bits << 6 | UInt32(value)
      count += 1
      if count % 4 != 1 {
        out.append(UInt8(truncatingIfNeeded: bits >> (6 - UInt32((count - 1) % 4) * 2)))
      }
    }
    return out
  }
}
