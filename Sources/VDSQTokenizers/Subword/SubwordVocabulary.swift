package import VDSQFormat

/// The tokenizer section of a byte-pair or unigram tokenizer, used in place in the map.
///
/// docs/format.md specifies the layout ("Byte pairs and unigram").
package struct SubwordVocabulary: Sendable {
  /// The algorithm that splits a word into tokens; the raw value is the kind in the file.
  package enum Model: UInt32, Sendable {
    /// Byte-pair encoding: the merge of the lowest rank applies first (arXiv 1508.07909).
    case bytePairs = 2
    /// The segmentation of the highest total log probability (arXiv 1804.10959).
    case unigram = 3
  }

  struct Options: OptionSet, Sendable {
    let rawValue: UInt32
    /// Pieces are bytes; otherwise scalars.
    static let bytes = Options(rawValue: 1)
    /// Text that is not in the vocabulary becomes tokens of single bytes.
    static let byteFallback = Options(rawValue: 2)
    /// Consecutive unknown pieces are one token.
    static let fuseUnknown = Options(rawValue: 4)
    /// A word that is a token is not built by merges.
    static let wholeWords = Options(rawValue: 8)
    /// Words in the middle of a text begin with a space.
    static let spacedWords = Options(rawValue: 16)
    /// A U+2581 in a token stands for a space.
    static let metaspace = Options(rawValue: 32)
  }

  static let headerLength = 64
  /// The score of a token that is no piece of a word, such as one that is searched in the text.
  package static let noPiece = -1e6

  let model: Model
  let options: Options
  let table: TokenTable
  /// -1 if there is none.
  let unknown: Int32
  let mask: Int32
  /// Ids before and after a text.
  let prefix: [Int32]
  let suffix: [Int32]
  let added: [AddedToken]
  let normalizer: TextNormalizer
  let preTokenizer: PreTokenizer
  /// The token of each byte; -1 if there is none.
  let byteTokens: [Int32]
  /// Byte pairs: `[left, right, both]` by rank.
  private let mergeCount: Int
  nonisolated(unsafe) private let merges: UnsafeRawPointer
  nonisolated(unsafe) private let mergeIndex: UnsafeRawPointer
  private let mergeSlots: Int
  /// Unigram: log probabilities in f64.
  nonisolated(unsafe) private let scores: UnsafeRawPointer
  /// The score of an unknown scalar.
  let unknownScore: Double

  /// - Throws: `badInput` if a count, an offset or an id is out of range.
  package init(section: UnsafeRawBufferPointer, path: String) throws(VDSQError) {
    var reader = ByteReader(section, context: "\(path): tokenizer")
    func malformed(_ what: String) -> VDSQError { .badInput("\(path): tokenizer: \(what)") }
    let kind = try reader.integer(UInt32.self, "kind")
    guard let model = Model(rawValue: kind) else {
      throw malformed("kind \(kind) is not known to this program")
    }
    self.model = model
    options = Options(rawValue: try reader.integer(UInt32.self, "options"))
    let count = Int(try reader.integer(UInt32.self, "vocabulary size"))
    let slots = Int(try reader.integer(UInt32.self, "hash slots"))
    unknown = try reader.integer(Int32.self, "unknown token")
    mask = try reader.integer(Int32.self, "mask token")
    mergeCount = Int(try reader.integer(UInt32.self, "merges"))
    mergeSlots = Int(try reader.integer(UInt32.self, "merge slots"))
    let prefixCount = Int(try reader.integer(UInt32.self, "tokens before a text"))
    let suffixCount = Int(try reader.integer(UInt32.self, "tokens after a text"))
    let addedCount = Int(try reader.integer(UInt32.self, "added tokens"))
    let stepsLength = Int(try reader.integer(UInt32.self, "steps length"))
    let textLength = Int(try reader.integer(UInt32.self, "text length"))
    _ = try reader.take(Self.headerLength - 52, "reserved")
    guard count >= 1, count <= 1 << 24, prefixCount <= 64, suffixCount <= 64,
      addedCount <= 1 << 20, mergeCount <= 1 << 24
    else { throw malformed("a count is out of range") }
    let offsets = try reader.take((count + 1) * 4, "token offsets")
    let index = try reader.take(slots * 4, "hash index")
    merges = try reader.take(mergeCount * 12, "merges").baseAddress!
    mergeIndex = try reader.take(mergeSlots * 4, "merge index").baseAddress!
    scores = try reader.take(model == .unigram ? count * 8 : 0, "scores").baseAddress!
    var byteTokens: [Int32] = []
    for _ in 0..<256 { byteTokens.append(try reader.integer(Int32.self, "byte token")) }
    self.byteTokens = byteTokens
    var frame: [Int32] = []
    for _ in 0..<prefixCount + suffixCount {
      frame.append(try reader.integer(Int32.self, "token around a text"))
    }
    prefix = Array(frame[..<prefixCount])
    suffix = Array(frame[prefixCount...])
    let records = try reader.take(addedCount * 16, "added token records")
    let steps = try reader.take(stepsLength, "steps")
    let text = try reader.take(textLength, "token text")
    table = try TokenTable(
      count: count, offsets: offsets, index: index, text: text, first: 0, path: path)
    for id in byteTokens + frame + [unknown, mask] where id < -1 || id >= count {
      throw malformed("token \(id) is not in the vocabulary")
    }
    for id in frame where id < 0 { throw malformed("a token around a text is none") }
    var added: [AddedToken] = []
    var recordReader = ByteReader(records, context: "\(path): tokenizer: added token")
    for _ in 0..<addedCount {
      added.append(try AddedToken(&recordReader, text: text, vocabulary: count))
    }
    self.added = added
    var stepReader = ByteReader(steps, context: "\(path): tokenizer")
    normalizer = try TextNormalizer(&stepReader)
    preTokenizer = try PreTokenizer(&stepReader)
    var lowest = Double.infinity
    if model == .unigram {
      for i in 0..<count {
        let score = scores.loadUnaligned(fromByteOffset: i * 8, as: Double.self)
        guard score.isFinite else { throw malformed("the score of token \(i) is not finite") }
        // Tokens that splitting may not make do not count.
        if score > Self.noPiece { lowest = min(lowest, score) }
      }
    }
    unknownScore = (lowest.isFinite ? lowest : 0) - 10
    try checkMerges(malformed)
  }

  private func checkMerges(_ malformed: (String) -> VDSQError) throws(VDSQError) {
    guard model == .bytePairs else { return }
    guard mergeSlots.nonzeroBitCount == 1, mergeSlots > mergeCount else {
      throw malformed("the merges' index is too small")
    }
    for rank in 0..<mergeCount {
      for part in 0..<3 where mergePart(rank, part) >= UInt32(table.count) {
        throw malformed("merge \(rank) is of a token that is not in the vocabulary")
      }
    }
    for slot in 0..<mergeSlots {
      guard mergeIndex.loadUnaligned(fromByteOffset: slot * 4, as: UInt32.self) <= mergeCount else {
        throw malformed("merge slot \(slot) is out of range")
      }
    }
  }

  private func mergePart(_ rank: Int, _ part: Int) -> UInt32 {
    merges.loadUnaligned(fromByteOffset: rank * 12 + part * 4, as: UInt32.self)
  }

  /// The rank of a pair and the merged token, or nil if the pair does not merge.
  func merge(_ left: Int32, _ right: Int32) -> (rank: Int32, token: Int32)? {
    var slot = Int(Self.pairHash(UInt32(bitPattern: left), UInt32(bitPattern: right)))
    for _ in 0..<mergeSlots {
      slot &= mergeSlots - 1
      let entry = mergeIndex.loadUnaligned(fromByteOffset: slot * 4, as: UInt32.self)
      if entry == 0 { return nil }
      let rank = Int(entry) - 1
      if mergePart(rank, 0) == UInt32(bitPattern: left),
        mergePart(rank, 1) == UInt32(bitPattern: right)
      {
        return (Int32(rank), Int32(bitPattern: mergePart(rank, 2)))
      }
      slot += 1
    }
    return nil
  }

  /// The hash of a pair in the merge index: its ids times two odd constants, with the high bits
  /// folded in.
  static func pairHash(_ left: UInt32, _ right: UInt32) -> UInt32 {
    let mixed = (left &* 0x9E37_79B1) ^ (right &* 0x85EB_CA77)
    return mixed ^ (mixed >> 15)
  }

  func score(_ id: Int32) -> Double {
    scores.loadUnaligned(fromByteOffset: Int(id) * 8, as: Double.self)
  }
}
