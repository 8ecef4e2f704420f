public import VDSQFormat

/// The tokenizer section of a container: token strings, their hash index and added tokens, used
/// where they lie in the map.
///
/// Layout: see docs/format.md, "Tokenizer section".
public struct WordPieceVocabulary: Sendable {
  public static let kind: UInt32 = 1
  static let headerLength = 64

  public let count: Int
  let options: BertNormalizer.Options
  let unknown: Int32
  public let classify: Int32
  public let separator: Int32
  let maximumWordLength: Int
  let added: [AddedToken]
  private let slots: Int
  private let prefixLength: Int
  private let blobLength: Int
  nonisolated(unsafe) private let offsets: UnsafeRawPointer
  nonisolated(unsafe) private let index: UnsafeRawPointer
  nonisolated(unsafe) private let blob: UnsafeRawPointer

  /// - Throws: `badInput` where a count, an offset or an id is out of range.
  public init(section: UnsafeRawBufferPointer, path: String) throws(VDSQError) {
    var reader = ByteReader(section, context: "\(path): tokenizer")
    let kind = try reader.integer(UInt32.self, "kind")
    guard kind == Self.kind else {
      throw .badInput("\(path): tokenizer: kind \(kind) is not known to this program")
    }
    options = BertNormalizer.Options(rawValue: try reader.integer(UInt32.self, "options"))
    let count = Int(try reader.integer(UInt32.self, "vocabulary size"))
    slots = Int(try reader.integer(UInt32.self, "hash slots"))
    unknown = try reader.integer(Int32.self, "unknown token")
    classify = try reader.integer(Int32.self, "[CLS] token")
    separator = try reader.integer(Int32.self, "[SEP] token")
    maximumWordLength = Int(try reader.integer(UInt32.self, "maximum word length"))
    prefixLength = Int(try reader.integer(UInt32.self, "prefix length"))
    let addedCount = Int(try reader.integer(UInt32.self, "added tokens"))
    blobLength = Int(try reader.integer(UInt32.self, "text length"))
    _ = try reader.take(Self.headerLength - 44, "reserved")
    offsets = try reader.take((count + 1) * 4, "token offsets").baseAddress!
    index = try reader.take(slots * 4, "hash index").baseAddress!
    let records = try reader.take(addedCount * 16, "added token records")
    let text = try reader.take(blobLength, "token text")
    blob = text.baseAddress!
    self.count = count

    guard count > 0, slots.nonzeroBitCount == 1, slots > count, prefixLength <= blobLength,
      maximumWordLength > 0, maximumWordLength <= 10_000
    else { throw .badInput("\(path): tokenizer: a count is out of range") }
    for id in [unknown, classify, separator] where id < 0 || id >= count {
      throw .badInput("\(path): tokenizer: special token \(id) is not in the vocabulary")
    }
    var previous: UInt32 = UInt32(prefixLength)
    for i in 0...count {
      let offset = offsets.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)
      guard offset >= previous, offset <= blobLength else {
        throw .badInput("\(path): tokenizer: the offset of token \(i) is out of range")
      }
      previous = offset
    }
    for i in 0..<slots {
      guard index.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self) <= count else {
        throw .badInput("\(path): tokenizer: hash slot \(i) is out of range")
      }
    }
    var added: [AddedToken] = []
    var recordReader = ByteReader(records, context: "\(path): tokenizer: added token")
    for _ in 0..<addedCount {
      added.append(try AddedToken(&recordReader, text: text, vocabulary: count))
    }
    self.added = added
  }

  /// The UTF-8 of a token; ids outside of the vocabulary have none.
  public func text(of id: Int) -> UnsafeRawBufferPointer {
    guard id >= 0, id < count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let start = Int(offsets.loadUnaligned(fromByteOffset: id * 4, as: UInt32.self))
    let end = Int(offsets.loadUnaligned(fromByteOffset: id * 4 + 4, as: UInt32.self))
    return UnsafeRawBufferPointer(start: blob + start, count: end - start)
  }

  /// Greedy longest match first (Wu et al. 2016, as in BERT); a word with a part that matches
  /// nothing is one unknown token.
  func split(_ word: [UInt8], into tokens: inout TokenBuffer) {
    let before = (count: tokens.ids.count, overflowed: tokens.overflowed)
    let prefix = UnsafeRawBufferPointer(start: blob, count: prefixLength)
    let prefixHash = Self.hash(prefix)
    word.withUnsafeBytes { word in
      var start = 0
      while start < word.count {
        // FNV-1a hashes of all prefixes of the rest, then the longest that is a token.
        let seed = start == 0 ? Self.hashSeed : prefixHash
        guard let (id, end) = longestToken(word, from: start, seed: seed) else {
          tokens.restore(count: before.count, overflowed: before.overflowed)
          tokens.append(unknown)
          return
        }
        tokens.append(id)
        start = end
      }
    }
  }

  private func longestToken(
    _ word: UnsafeRawBufferPointer, from start: Int, seed: UInt32
  ) -> (id: Int32, end: Int)? {
    var best: (id: Int32, end: Int)?
    var hash = seed
    for end in start..<word.count {
      hash = (hash ^ UInt32(word[end])) &* 16_777_619
      // A token ends where a scalar does.
      if end + 1 < word.count, word[end + 1] & 0xC0 == 0x80 { continue }
      let piece = UnsafeRawBufferPointer(rebasing: word[start...end])
      if let id = find(piece, continuing: start > 0, hash: hash) { best = (id, end + 1) }
    }
    return best
  }

  private func find(_ piece: UnsafeRawBufferPointer, continuing: Bool, hash: UInt32) -> Int32? {
    var slot = Int(hash) & (slots - 1)
    for _ in 0..<slots {
      let entry = index.loadUnaligned(fromByteOffset: slot * 4, as: UInt32.self)
      if entry == 0 { return nil }
      if matches(text(of: Int(entry) - 1), piece, continuing) { return Int32(entry) - 1 }
      slot = (slot + 1) & (slots - 1)
    }
    return nil
  }

  private func matches(
    _ token: UnsafeRawBufferPointer, _ piece: UnsafeRawBufferPointer, _ continuing: Bool
  ) -> Bool {
    let skipped = continuing ? prefixLength : 0
    guard token.count == skipped + piece.count else { return false }
    for i in 0..<skipped where token[i] != blob.load(fromByteOffset: i, as: UInt8.self) {
      return false
    }
    for i in 0..<piece.count where token[skipped + i] != piece[i] { return false }
    return true
  }

  static let hashSeed: UInt32 = 2_166_136_261

  /// FNV-1a, 32 bits.
  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var hash = hashSeed
    for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return hash
  }
}

/// A token that is found in the raw text, before normalization: `[MASK]`, say.
struct AddedToken: Sendable {
  let id: Int32
  nonisolated(unsafe) let text: UnsafeRawBufferPointer

  init(
    _ reader: inout ByteReader, text: UnsafeRawBufferPointer, vocabulary: Int
  ) throws(VDSQError) {
    id = try reader.integer(Int32.self, "id")
    _ = try reader.integer(UInt32.self, "reserved")
    let offset = Int(try reader.integer(UInt32.self, "text offset"))
    let length = Int(try reader.integer(UInt32.self, "text length"))
    guard id >= 0, id < vocabulary, length > 0, offset <= text.count, length <= text.count - offset
    else { throw .badInput("\(reader.context): out of range") }
    self.text = UnsafeRawBufferPointer(rebasing: text[offset..<offset + length])
  }
}
