import VDSQFormat

/// The table of replacements of a SentencePiece model: a double-array trie (Darts) of keys, and the
/// zero-terminated replacements.
struct CharsMap: Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]

  init(_ reader: inout ByteReader) throws(VDSQError) {
    let length = Int(try reader.integer(UInt32.self, "trie length"))
    let trie = try reader.take(length / 4 * 4, "trie")
    var units: [UInt32] = []
    for i in 0..<length / 4 {
      units.append(UInt32(littleEndian: trie.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)))
    }
    self.units = units
    replacements = try reader.bytes("replacements")
    guard !units.isEmpty else { throw .badInput("\(reader.context): an empty trie") }
  }

  /// Replaces whole graphemes if they are short and in the table, otherwise scalar by scalar, as
  /// Hugging Face's tokenizers do.
  func apply(_ text: UnsafeRawBufferPointer, into out: inout [UInt8]) {
    for character in String(decoding: text, as: UTF8.self) {
      var bytes: [UInt8] = []
      bytes.append(contentsOf: character.utf8)
      if bytes.count < 6, replace(bytes[...], into: &out) { continue }
      var start = 0
      while start < bytes.count {
        let end = min(start + TextNormalizer.scalarLength(bytes[start]), bytes.count)
        if !replace(bytes[start..<end], into: &out) { out.append(contentsOf: bytes[start..<end]) }
        start = end
      }
    }
  }

  /// Appends the replacement of the shortest prefix of `key` in the table.
  private func replace(_ key: ArraySlice<UInt8>, into out: inout [UInt8]) -> Bool {
    var node = offset(units[0])
    for byte in key {
      if byte == 0 { return false }
      node ^= Int(byte)
      guard node < units.count else { return false }
      let unit = units[node]
      guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return false }
      node ^= offset(unit)
      guard unit >> 8 & 1 == 1 else { continue }
      guard node < units.count else { return false }
      let start = Int(units[node] & 0x7FFF_FFFF)
      guard start <= replacements.count else { return false }
      out.append(contentsOf: replacements[start...].prefix { $0 != 0 })
      return true
    }
    return false
  }

  private func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
}
