/// Decodes untrusted blocks of the LZ4 block format (lz4_Block_format.md of the LZ4 project).
enum LZ4 {
  /// Decodes a block that fills `out` exactly.
  ///
  /// - Returns: whether the block is valid. If not, the content of `out` is undefined.
  static func decode(_ block: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer)
    -> Bool
  {
    guard let to = out.baseAddress else { return false }
    var read = 0
    var written = 0
    /// Reads the further bytes of a length. Returns nil if the block ends or the length exceeds
    /// `out`.
    func extended(_ nibble: Int) -> Int? {
      var length = nibble
      guard nibble == 15 else { return length }
      while read < block.count {
        let byte = Int(block[read])
        read += 1
        length += byte
        if length > out.count { return nil }
        if byte < 255 { return length }
      }
      return nil
    }
    while read < block.count {
      let token = Int(block[read])
      read += 1
      guard let literals = extended(token >> 4), literals <= block.count - read,
        literals <= out.count - written
      else { return false }
      if literals > 0 {
        (to + written).copyMemory(from: block.baseAddress! + read, byteCount: literals)
      }
      read += literals
      written += literals
      // The last sequence has no match.
      if read == block.count { return written == out.count }
      guard read + 2 <= block.count else { return false }
      let distance = Int(block[read]) | Int(block[read + 1]) << 8
      read += 2
      guard distance > 0, distance <= written, let more = extended(token & 15),
        more + 4 <= out.count - written
      else { return false }
      let match = to + (written - distance)
      if distance >= more + 4 {
        (to + written).copyMemory(from: match, byteCount: more + 4)
      } else {
        // The match overlaps its own output.
        for i in 0..<more + 4 {
          (to + written).storeBytes(
            of: match.load(fromByteOffset: i, as: UInt8.self), toByteOffset: i, as: UInt8.self)
        }
      }
      written += more + 4
    }
    return false
  }
}
