import VDSQFormat

/// Compresses a section that was just written, in place. No chunk grows, so none is overwritten
/// before it is read.
struct SectionCompression {
  private static let planes = [1, 2, 4]
  /// The number of chunks that are compressed as a trial.
  private static let sampled = 32
  /// Sections below this size are not compressed, because the table would outweigh the gain.
  private static let smallest = 4096
  /// A section is compressed only if it shrinks to less than this share, because decoding takes
  /// memory and time.
  private static let worthwhile = 0.95

  let file: AtomicFile
  let start: Int
  let rawLength: Int

  /// - Returns: the length and the checksum of the section, or nil if it stays uncompressed.
  func run(_ crc: CRC32) throws(VDSQError) -> (length: Int, checksum: UInt32)? {
    guard rawLength >= Self.smallest, try isWorthwhile() else { return nil }
    var table = ByteWriter()
    var length = 0
    var checksum: UInt32 = 0
    func put(_ bytes: [UInt8]) throws(VDSQError) {
      checksum = bytes.withUnsafeBytes { crc.checksum(of: $0, continuing: checksum) }
      try file.rewrite(bytes, at: start + length)
      length += bytes.count
    }
    for chunk in 0..<CompressedSection.chunks(of: rawLength) {
      let raw = try read(chunk)
      let (planes, _) = best(raw)
      let packed = pack(raw, planes, quickly: false)
      // Sections that shrink beyond the bound of the format, or do not shrink, stay uncompressed.
      let limits = raw.count / CompressedSection.largestRatio + 8..<raw.count
      let isCompressed = packed.map { limits.contains($0.count) } ?? false
      let entry = CompressedSection.Entry(
        length: isCompressed ? packed!.count : raw.count, isCompressed: isCompressed,
        planes: isCompressed ? planes : 1)
      try put(isCompressed ? packed! : raw)
      table.append(entry.code)
    }
    try put(table.bytes)
    try file.cut(to: start + length)
    return (length, checksum)
  }

  private func read(_ chunk: Int) throws(VDSQError) -> [UInt8] {
    let first = chunk * CompressedSection.chunkLength
    return try file.read(
      at: start + first, count: min(CompressedSection.chunkLength, rawLength - first))
  }

  private func isWorthwhile() throws(VDSQError) -> Bool {
    let count = CompressedSection.chunks(of: rawLength)
    let step = max(1, count / Self.sampled)
    var before = 0
    var after = 0
    for chunk in stride(from: 0, to: count, by: step) {
      let raw = try read(chunk)
      before += raw.count
      after += min(best(raw).size, raw.count)
    }
    return Double(after) < Double(before) * Self.worthwhile
  }

  /// The number of planes that compresses best in a quick trial.
  private func best(_ raw: [UInt8]) -> (planes: Int, size: Int) {
    var best = (planes: 1, size: raw.count)
    for planes in Self.planes {
      if let packed = pack(raw, planes, quickly: true), packed.count < best.size {
        best = (planes, packed.count)
      }
    }
    return best
  }

  private func pack(_ raw: [UInt8], _ planes: Int, quickly: Bool) -> [UInt8]? {
    var bytes = raw
    if planes > 1 {
      raw.withUnsafeBytes { raw in
        bytes.withUnsafeMutableBytes { CompressedSection.split(raw, planes, into: $0) }
      }
    }
    var out = [UInt8](repeating: 0, count: raw.count)
    let count = bytes.withUnsafeBytes { bytes in
      out.withUnsafeMutableBytes { LZ4Compressor.compress(bytes, into: $0, quickly: quickly) }
    }
    return count.map { Array(out[..<$0]) }
  }
}
