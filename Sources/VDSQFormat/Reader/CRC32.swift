/// CRC-32 as in ISO 3309, zlib and PNG: polynomial 0xEDB88320, reflected, inverted at both ends.
///
/// The container uses it because the standard library of every language has it. The computation
/// takes eight bytes per step with eight tables.
package struct CRC32: Sendable {
  private let tables: [UInt32]

  /// Computes the eight tables of 256 entries: 8 KiB.
  package init() {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var c = UInt32(truncatingIfNeeded: byte)
      for _ in 0..<8 { c = c & 1 == 1 ? 0xEDB8_8320 ^ (c >> 1) : c >> 1 }
      tables[byte] = c
    }
    for byte in 0..<256 {
      for table in 1..<8 {
        let c = tables[(table - 1) * 256 + byte]
        tables[table * 256 + byte] = tables[Int(c & 0xFF)] ^ (c >> 8)
      }
    }
    self.tables = tables
  }

  /// The checksum of `bytes`. `continuing` is the checksum of the bytes before them.
  package func checksum(of bytes: UnsafeRawBufferPointer, continuing: UInt32 = 0) -> UInt32 {
    var c = ~continuing
    tables.withUnsafeBufferPointer { t in
      var i = 0
      while i + 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian
        let low = UInt32(truncatingIfNeeded: word) ^ c
        let high = UInt32(truncatingIfNeeded: word >> 32)
        let a = t[1792 + Int(low & 0xFF)] ^ t[1536 + Int((low >> 8) & 0xFF)]
        let b = t[1280 + Int((low >> 16) & 0xFF)] ^ t[1024 + Int(low >> 24)]
        let d = t[768 + Int(high & 0xFF)] ^ t[512 + Int((high >> 8) & 0xFF)]
        let e = t[256 + Int((high >> 16) & 0xFF)] ^ t[Int(high >> 24)]
        c = a ^ b ^ d ^ e
        i += 8
      }
      while i < bytes.count {
        c = t[Int((c ^ UInt32(bytes[i])) & 0xFF)] ^ (c >> 8)
        i += 1
      }
    }
    return ~c
  }
}
