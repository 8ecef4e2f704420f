/// Ranges of Unicode scalars as ranges of bytes in UTF-8.
enum UTF8Ranges {
  /// Sequences of byte ranges that together are the scalars of a range, surrogates left out.
  static func sequences(of range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
    var found: [[ClosedRange<UInt8>]] = []
    // Scalars of equal lengths, without surrogates.
    for part in [0...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF]
      as [ClosedRange<UInt32>]
    where part.overlaps(range) {
      split(part.clamped(to: range), &found)
    }
    return found
  }

  /// Splits a range of scalars of equal lengths until each byte has a range of its own.
  private static func split(
    _ range: ClosedRange<UInt32>, _ found: inout [[ClosedRange<UInt8>]]
  ) {
    let (low, high) = (range.lowerBound, range.upperBound)
    let length = low < 0x80 ? 1 : low < 0x800 ? 2 : low < 0x10000 ? 3 : 4
    for i in 1..<max(1, length) {
      let mask = UInt32(1) << UInt32(6 * i) - 1
      guard low & ~mask != high & ~mask else { continue }
      if low & mask != 0 {
        split(low...(low | mask), &found)
        split((low | mask) + 1...high, &found)
        return
      }
      if high & mask != mask {
        split(low...(high & ~mask) - 1, &found)
        split(high & ~mask...high, &found)
        return
      }
    }
    let (a, b) = (bytes(of: low, length), bytes(of: high, length))
    found.append((0..<length).map { a[$0]...b[$0] })
  }

  private static func bytes(of scalar: UInt32, _ length: Int) -> [UInt8] {
    guard length > 1 else { return [UInt8(scalar)] }
    let lead: [UInt32] = [0, 0, 0xC0, 0xE0, 0xF0]
    return (0..<length).map { i in
      let bits = scalar >> UInt32(6 * (length - 1 - i))
      return UInt8(truncatingIfNeeded: i == 0 ? lead[length] | bits : 0x80 | (bits & 0x3F))
    }
  }
}
