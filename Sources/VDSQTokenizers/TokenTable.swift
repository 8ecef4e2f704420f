import CShims
import VDSQFormat

/// Token strings and their hash index, used in place in the map.
///
/// The layout is `count + 1` u32 offsets into the text, `slots` u32 hash slots (0, or an id plus 1;
/// linear probing from FNV-1a, 32 bits), and the text.
struct TokenTable: Sendable {
  let count: Int
  private let slots: Int
  nonisolated(unsafe) private let offsets: UnsafeRawPointer
  nonisolated(unsafe) private let index: UnsafeRawPointer
  nonisolated(unsafe) private let blob: UnsafeRawPointer
  /// The length of the longest token in bytes.
  let longest: Int

  /// - Parameter first: the smallest offset in the text at which the first token may begin.
  /// - Throws: `badInput` if an offset or a slot is out of range.
  init(
    count: Int, offsets: UnsafeRawBufferPointer, index: UnsafeRawBufferPointer,
    text: UnsafeRawBufferPointer, first: Int, path: String
  ) throws(VDSQError) {
    self.count = count
    slots = index.count / 4
    self.offsets = offsets.baseAddress!
    self.index = index.baseAddress!
    blob = text.baseAddress!
    guard count > 0, slots.nonzeroBitCount == 1, slots > count, first <= text.count else {
      throw .badInput("\(path): tokenizer: a count is out of range")
    }
    var previous = UInt32(first)
    var longest = 0
    for i in 0...count {
      let offset = offsets.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)
      guard offset >= previous, offset <= text.count else {
        throw .badInput("\(path): tokenizer: the offset of token \(i) is out of range")
      }
      if i > 0 { longest = max(longest, Int(offset - previous)) }
      previous = offset
    }
    self.longest = longest
    for i in 0..<slots {
      guard index.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self) <= count else {
        throw .badInput("\(path): tokenizer: hash slot \(i) is out of range")
      }
    }
  }

  /// The bytes of a token; empty for ids outside the vocabulary.
  func text(of id: Int) -> UnsafeRawBufferPointer {
    guard id >= 0, id < count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let start = Int(offsets.loadUnaligned(fromByteOffset: id * 4, as: UInt32.self))
    let end = Int(offsets.loadUnaligned(fromByteOffset: id * 4 + 4, as: UInt32.self))
    return UnsafeRawBufferPointer(start: blob + start, count: end - start)
  }

  /// The first token that equals `prefix` followed by `piece`, given the hash over both.
  func find(
    _ piece: UnsafeRawBufferPointer, after prefix: UnsafeRawBufferPointer, hash: UInt32
  ) -> Int32? {
    var slot = Int(hash) & (slots - 1)
    for _ in 0..<slots {
      let entry = index.loadUnaligned(fromByteOffset: slot * 4, as: UInt32.self)
      if entry == 0 { return nil }
      let token = text(of: Int(entry) - 1)
      if token.count == prefix.count + piece.count, token.starts(with: prefix),
        token.dropFirst(prefix.count).elementsEqual(piece)
      {
        return Int32(entry) - 1
      }
      slot = (slot + 1) & (slots - 1)
    }
    return nil
  }

  func find(_ piece: UnsafeRawBufferPointer, hash: UInt32) -> Int32? {
    var slot = Int(hash) & (slots - 1)
    for _ in 0..<slots {
      let entry = index.loadUnaligned(fromByteOffset: slot * 4, as: UInt32.self)
      if entry == 0 { return nil }
      let token = text(of: Int(entry) - 1)
      if token.count == piece.count,
        token.isEmpty || memcmp(token.baseAddress!, piece.baseAddress!, piece.count) == 0
      {
        return Int32(entry) - 1
      }
      slot = (slot + 1) & (slots - 1)
    }
    return nil
  }

  func find(_ piece: UnsafeRawBufferPointer) -> Int32? { find(piece, hash: Self.hash(piece)) }

  static let hashSeed: UInt32 = 2_166_136_261

  /// FNV-1a, 32 bits.
  static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = hashSeed) -> UInt32 {
    var hash = seed
    for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return hash
  }

  /// The slots of a hash index over tokens.
  static func index(of tokens: [[UInt8]]) -> [UInt32] {
    var slots = 64
    while slots < tokens.count * 2 { slots *= 2 }
    var index = [UInt32](repeating: 0, count: slots)
    for (id, token) in tokens.enumerated() {
      var slot = Int(token.withUnsafeBytes { hash($0) }) & (slots - 1)
      while index[slot] != 0 { slot = (slot + 1) & (slots - 1) }
      index[slot] = UInt32(id) + 1
    }
    return index
  }
}
