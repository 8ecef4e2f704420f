import VDSQFormat

extension SubwordVocabulary {
  /// The parts of a tokenizer section.
  public struct Source: Sendable {
    public var model: Model
    /// Token strings by id. Every id from 0 on has one.
    public var tokens: [[UInt8]]
    public var bytes = false
    public var byteFallback = false
    public var fuseUnknown = false
    public var wholeWords = false
    public var spacedWords = false
    public var metaspace = false
    public var unknown = -1
    public var mask = -1
    public var prefix: [Int] = []
    public var suffix: [Int] = []
    public var added: [Added] = []
    /// Merges by rank.
    public var merges: [Merge] = []
    public var scores: [Double] = []
    public var byteTokens = [Int](repeating: -1, count: 256)
    /// Normalizer steps and pre-tokenizer steps, without end codes.
    public var normalizer = ByteWriter()
    public var preTokenizer = ByteWriter()

    public init(model: Model, tokens: [[UInt8]]) {
      self.model = model
      self.tokens = tokens
    }
  }

  /// Two tokens that become one.
  public struct Merge: Sendable {
    public let left: UInt32
    public let right: UInt32
    public let both: UInt32

    public init(left: Int, right: Int, both: Int) {
      self.left = UInt32(left)
      self.right = UInt32(right)
      self.both = UInt32(both)
    }
  }

  /// A token that is searched in the text before it is split.
  public struct Added: Sendable {
    public var id: Int
    public var text: [UInt8]
    public var normalized = false
    public var stripLeft = false
    public var stripRight = false
    public var singleWord = false

    public init(id: Int, text: [UInt8]) {
      self.id = id
      self.text = text
    }

    fileprivate var flags: UInt32 {
      (normalized ? 1 : 0) | (stripLeft ? 2 : 0) | (stripRight ? 4 : 0) | (singleWord ? 8 : 0)
    }
  }

  /// The bytes of a tokenizer section.
  public static func encode(_ source: Source) -> [UInt8] {
    let index = TokenTable.index(of: source.tokens)
    var blob: [UInt8] = []
    var offsets: [UInt32] = [0]
    for token in source.tokens {
      blob += token
      offsets.append(UInt32(blob.count))
    }
    var records: [UInt32] = []
    for token in source.added {
      records += [UInt32(token.id), token.flags, UInt32(blob.count), UInt32(token.text.count)]
      blob += token.text
    }
    let pairs = mergeIndex(source.merges)
    var steps = source.normalizer
    steps.append(TextNormalizer.Code.end.rawValue)
    steps.append(bytes: source.preTokenizer.bytes)
    steps.append(PreTokenizer.Code.end.rawValue)
    var out = ByteWriter()
    out.reserve(
      headerLength + (offsets.count + index.count + pairs.count + records.count) * 4
        + source.merges.count * 12 + source.scores.count * 8 + 1024
        + (source.prefix.count + source.suffix.count) * 4 + steps.count + blob.count)
    out.append(source.model.rawValue)
    out.append(options(source))
    for field in [
      source.tokens.count, index.count, source.unknown, source.mask, source.merges.count,
      pairs.count, source.prefix.count, source.suffix.count, source.added.count, steps.count,
      blob.count,
    ] { out.append(Int32(truncatingIfNeeded: field)) }
    out.pad(to: headerLength)
    for value in offsets { out.append(value) }
    for value in index { out.append(value) }
    for merge in source.merges {
      out.append(merge.left)
      out.append(merge.right)
      out.append(merge.both)
    }
    for value in pairs { out.append(value) }
    for value in source.scores { out.append(value.bitPattern) }
    for value in source.byteTokens + source.prefix + source.suffix { out.append(Int32(value)) }
    for value in records { out.append(value) }
    out.append(bytes: steps.bytes)
    out.append(bytes: blob)
    return out.bytes
  }

  private static func options(_ source: Source) -> UInt32 {
    var options: Options = []
    if source.bytes { options.insert(.bytes) }
    if source.byteFallback { options.insert(.byteFallback) }
    if source.fuseUnknown { options.insert(.fuseUnknown) }
    if source.wholeWords { options.insert(.wholeWords) }
    if source.spacedWords { options.insert(.spacedWords) }
    if source.metaspace { options.insert(.metaspace) }
    return options.rawValue
  }

  /// Hash slots of pairs with ranks plus one. If a pair occurs twice, the later rank counts, as in
  /// Hugging Face's tokenizers.
  private static func mergeIndex(_ merges: [Merge]) -> [UInt32] {
    var slots = 64
    while slots < merges.count * 2 { slots *= 2 }
    var index = [UInt32](repeating: 0, count: slots)
    for (rank, merge) in merges.enumerated() {
      var slot = Int(pairHash(merge.left, merge.right)) & (slots - 1)
      while index[slot] != 0 {
        let other = merges[Int(index[slot]) - 1]
        if other.left == merge.left, other.right == merge.right { break }
        slot = (slot + 1) & (slots - 1)
      }
      index[slot] = UInt32(rank) + 1
    }
    return index
  }
}
