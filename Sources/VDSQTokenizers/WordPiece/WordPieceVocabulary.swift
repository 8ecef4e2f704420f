package import VDSQFormat

/// The tokenizer section of a WordPiece tokenizer: token strings, their hash index and added
/// tokens, used in place in the map.
///
/// docs/format.md specifies the layout ("WordPiece").
package struct WordPieceVocabulary: Sendable {
  /// The kind of this section in the file (its first four bytes).
  package static let kind: UInt32 = 1
  static let headerLength = 64

  /// The number of tokens.
  package let count: Int
  let options: BertNormalizer.Options
  let unknown: Int32
  /// The id of `[CLS]`, in 0..<count.
  package let classify: Int32
  /// The id of `[SEP]`, in 0..<count.
  package let separator: Int32
  let maximumWordLength: Int
  let added: [AddedToken]
  /// The added token `<mask>`, or the token `[MASK]`; nil if there is neither.
  package let mask: Int32?
  private let table: TokenTable
  nonisolated(unsafe) private let prefix: UnsafeRawBufferPointer

  /// - Throws: `badInput` if a count, an offset or an id is out of range.
  package init(section: UnsafeRawBufferPointer, path: String) throws(VDSQError) {
    var reader = ByteReader(section, context: "\(path): tokenizer")
    let kind = try reader.integer(UInt32.self, "kind")
    guard kind == Self.kind else {
      throw .badInput("\(path): tokenizer: kind \(kind) is not known to this program")
    }
    options = BertNormalizer.Options(rawValue: try reader.integer(UInt32.self, "options"))
    let count = Int(try reader.integer(UInt32.self, "vocabulary size"))
    let slots = Int(try reader.integer(UInt32.self, "hash slots"))
    unknown = try reader.integer(Int32.self, "unknown token")
    classify = try reader.integer(Int32.self, "[CLS] token")
    separator = try reader.integer(Int32.self, "[SEP] token")
    maximumWordLength = Int(try reader.integer(UInt32.self, "maximum word length"))
    let prefixLength = Int(try reader.integer(UInt32.self, "prefix length"))
    let addedCount = Int(try reader.integer(UInt32.self, "added tokens"))
    let textLength = Int(try reader.integer(UInt32.self, "text length"))
    _ = try reader.take(Self.headerLength - 44, "reserved")
    let offsets = try reader.take((count + 1) * 4, "token offsets")
    let index = try reader.take(slots * 4, "hash index")
    let records = try reader.take(addedCount * 16, "added token records")
    let text = try reader.take(textLength, "token text")
    guard prefixLength <= textLength, maximumWordLength > 0, maximumWordLength <= 10_000 else {
      throw .badInput("\(path): tokenizer: a count is out of range")
    }
    table = try TokenTable(
      count: count, offsets: offsets, index: index, text: text, first: prefixLength, path: path)
    prefix = UnsafeRawBufferPointer(rebasing: text[..<prefixLength])
    self.count = count
    for id in [unknown, classify, separator] where id < 0 || id >= count {
      throw .badInput("\(path): tokenizer: special token \(id) is not in the vocabulary")
    }
    var added: [AddedToken] = []
    var recordReader = ByteReader(records, context: "\(path): tokenizer: added token")
    for _ in 0..<addedCount {
      added.append(try AddedToken(&recordReader, text: text, vocabulary: count))
    }
    self.added = added
    mask = Self.mask(in: table, added)
  }

  /// MPNet's vocabulary contains that of BERT, but its mask is an added token `<mask>`.
  private static func mask(in table: TokenTable, _ added: [AddedToken]) -> Int32? {
    let name: StaticString = "[MASK]", own: StaticString = "<mask>"
    func addedToken(_ name: StaticString) -> Int32? {
      name.withUTF8Buffer { name in added.first { $0.text.elementsEqual(name) }?.id }
    }
    return addedToken(own)
      ?? name.withUTF8Buffer { table.find(UnsafeRawBufferPointer($0)) } ?? addedToken(name)
  }

  /// The UTF-8 of a token; empty for ids outside the vocabulary.
  package func text(of id: Int) -> UnsafeRawBufferPointer {
    let text = table.text(of: id)
    return text.isEmpty ? added.first { $0.id == id }?.text ?? text : text
  }

  /// The text of a token without the prefix of those that continue a word.
  func withoutPrefix(_ text: [UInt8]) -> [UInt8] {
    guard text.count > prefix.count, text.starts(with: prefix) else { return text }
    return Array(text[prefix.count...])
  }

  /// The token with exactly these bytes.
  func find(_ text: UnsafeRawBufferPointer) -> Int32? { table.find(text) }

  /// Greedy longest match first (Wu et al. 2016, as in BERT). A word with a part that matches
  /// nothing is one unknown token.
  func split(_ word: [UInt8], into tokens: inout TokenBuffer) {
    let before = (count: tokens.ids.count, overflowed: tokens.overflowed)
    let prefixHash = TokenTable.hash(prefix)
    word.withUnsafeBytes { word in
      var start = 0
      while start < word.count {
        // Computes FNV-1a hashes of all prefixes of the rest, then takes the longest prefix that is
        // a token.
        let seed = start == 0 ? TokenTable.hashSeed : prefixHash
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
      // A token ends at the end of a scalar.
      if end + 1 < word.count, word[end + 1] & 0xC0 == 0x80 { continue }
      let piece = UnsafeRawBufferPointer(rebasing: word[start...end])
      let before =
        start > 0 ? prefix : UnsafeRawBufferPointer(start: nil, count: 0)
      if let id = table.find(piece, after: before, hash: hash) { best = (id, end + 1) }
    }
    return best
  }
}
