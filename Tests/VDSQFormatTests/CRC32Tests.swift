import Testing
import VDSQFormat

@Suite struct CRC32Tests {
  /// Values from zlib.crc32.
  @Test func referenceValues() {
    let crc = CRC32()
    for (text, expected) in [
      ("", UInt32(0)), ("a", 0xE8B7_BE43), ("123456789", 0xCBF4_3926),
      ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
    ] {
      #expect(Array(text.utf8).withUnsafeBytes { crc.checksum(of: $0) } == expected)
    }
  }

  @Test func partsGiveTheWhole() {
    let crc = CRC32()
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let whole = bytes.withUnsafeBytes { crc.checksum(of: $0) }
    for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
      let first = Array(bytes[..<cut]).withUnsafeBytes { crc.checksum(of: $0) }
      let both = Array(bytes[cut...]).withUnsafeBytes { crc.checksum(of: $0, continuing: first) }
      #expect(both == whole)
    }
  }
}
