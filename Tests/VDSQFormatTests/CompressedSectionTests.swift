import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat

/// Sections in LZ4 blocks: valid blocks of the LZ4 library, and malformed ones.
@Suite struct CompressedSectionTests {
  private typealias Entry = CompressedSection.Entry

  private func section(_ chunks: [(bytes: [UInt8], isCompressed: Bool, planes: Int)]) -> [UInt8] {
    var out = ByteWriter()
    for chunk in chunks { out.append(bytes: chunk.bytes) }
    for chunk in chunks {
      out.append(
        Entry(length: chunk.bytes.count, isCompressed: chunk.isCompressed, planes: chunk.planes)
          .code)
    }
    return out.bytes
  }

  private func decode(_ section: [UInt8], _ rawLength: Int) -> [UInt8]? {
    var out = [UInt8](repeating: 0xAA, count: rawLength)
    var scratch: [UInt8] = []
    let isSound = section.withUnsafeBytes { bytes in
      out.withUnsafeMutableBytes {
        CompressedSection(bytes, rawLength: rawLength).decode(into: $0, scratch: &scratch)
      }
    }
    return isSound ? out : nil
  }

  @Test func aWorkedExample() {
    // One literal, a match of nineteen and eighty that repeats it, five literals at the end.
    let block: [UInt8] = [0x1F, 65, 1, 0, 80, 0x50] + Array("abcde".utf8)
    let expected = [UInt8](repeating: 65, count: 100) + Array("abcde".utf8)
    #expect(decode(section([(block, true, 1)]), 105) == expected)
  }

  @Test func planesAreJoined() {
    // Seven bytes of pairs: first bytes, second bytes, the remaining byte.
    let planes = Array("ACEBDFg".utf8)
    #expect(decode(section([(planes, false, 2)]), 7) == Array("ABCDEFg".utf8))
    #expect(decode(section([(Array("AEBFCGDHx".utf8), false, 4)]), 9) == Array("ABCDEFGHx".utf8))
    var split = [UInt8](repeating: 0, count: 7)
    Array("ABCDEFg".utf8).withUnsafeBytes { bytes in
      split.withUnsafeMutableBytes { CompressedSection.split(bytes, 2, into: $0) }
    }
    #expect(split == planes)
  }

  /// Every false claim that a block can make.
  @Test func damagedBlocks() {
    let blocks: [(String, [UInt8])] = [
      ("nothing", []), ("literals that are not there", [0x50, 1, 2]),
      ("a length that never ends", [0xF0, 255, 255]), ("half a distance", [0x10, 1, 4]),
      ("a distance of zero", [0x11, 65, 0, 0, 0x50, 1, 2, 3, 4, 5]),
      ("a match before the start", [0x11, 65, 2, 0, 0x50, 1, 2, 3, 4, 5]),
      ("a match beyond the end", [0x1F, 65, 1, 0, 255, 255, 255, 0]),
      ("too little", [0x40, 1, 2, 3, 4]),
      ("literals beyond the end", [0xF0, 40] + [UInt8](repeating: 1, count: 55)),
      ("a match and no more", [0x10, 65, 1, 0]),
    ]
    for (what, block) in blocks {
      #expect(decode(section([(block, true, 1)]), 20) == nil, "\(what)")
    }
  }

  @Test func damagedTables() {
    let whole = section([(Array("hello".utf8), false, 1)])
    #expect(decode(whole, 5) == Array("hello".utf8))
    for cut in 0..<whole.count { #expect(decode(Array(whole[..<cut]), 5) == nil, "cut at \(cut)") }
    #expect(decode(whole, 4) == nil)
    #expect(decode(whole, 6) == nil)
    #expect(decode(whole, 1 << 17) == nil)
    // A byte between the chunks and the table, which belongs to neither.
    #expect(decode([0] + whole, 5) == nil)
    // A chunk that reaches into the table.
    #expect(decode(section([]) + [9, 0, 0, 0x80], 9) == nil)
  }

  @Test func damageNeverCrashes() throws {
    var random = Random(3)
    let block: [UInt8] = [0x1F, 65, 1, 0, 80, 0x50] + Array("abcde".utf8)
    let whole = section([(block, true, 2)])
    for _ in 0..<20_000 {
      var bytes = whole
      for _ in 0..<random.integer(1, 3) {
        bytes[random.integer(0, bytes.count - 1)] = UInt8(random.integer(0, 255))
      }
      _ = decode(bytes, random.integer(0, 300))
    }
  }

  /// A file that claims a gigabyte for a few bytes is refused by its table, before memory is
  /// allocated.
  @Test func bombsAreRefused() throws {
    let folder = try TemporaryFolder()
    let converter = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8)
    let path = folder.path("m.vdsq")
    _ = try converter.write(to: path, replace: false, progress: Progress(total: 1) { _ in })
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let crc = CRC32()
    func put<T: FixedWidthInteger>(_ value: T, _ at: Int) {
      withUnsafeBytes(of: value.littleEndian) {
        bytes.replaceSubrange(at..<at + $0.count, with: $0)
      }
    }
    let count = try Container(path: path).sections.count
    for rawLength: UInt64 in [1 << 30, 1 << 62, .max] {
      // The last section but one is weights of the last layer.
      let entry = 64 + 64 * 3
      put(UInt32(1), entry + 4)
      put(rawLength, entry + 24)
      put(bytes[64..<64 + 64 * count].withUnsafeBytes { crc.checksum(of: $0) }, 36)
      put(bytes[..<60].withUnsafeBytes { crc.checksum(of: $0) }, 60)
      let bomb = try folder.write(bytes, to: "bomb.vdsq")
      #expect { try Container(path: bomb) } throws: {
        guard let error = $0 as? VDSQError else { return false }
        return error.category == .badInput
          && (error.message.contains("claims to decode") || error.message.contains("no file holds"))
      }
    }
  }
}
