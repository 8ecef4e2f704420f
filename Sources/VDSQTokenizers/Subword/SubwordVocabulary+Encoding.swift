package import VDSQFormat

extension SubwordVocabulary {
  /// The parts of a tokenizer section.
  package struct Source: Sendable {
    /// Whether words are split by byte-pair merges or by unigram scores.
    package var model: Model
    /// Token strings by id. Every id from 0 on has one.
    package var tokens: [[UInt8]]
    /// Whether the smallest pieces are bytes (byte-level BPE); otherwise they are scalars.
    package var bytes = false
    /// Whether text that is not in the vocabulary becomes tokens of single bytes, `<0x00>` to
    /// `<0xFF>`.
    package var byteFallback = false
    /// Whether consecutive unknown pieces become one unknown token.
    package var fuseUnknown = false
    /// Whether a word that is a token is taken without merges (`ignore_merges` in Hugging Face's
    /// tokenizers).
    package var wholeWords = false
    /// Whether words in the middle of a text begin with a space.
    package var spacedWords = false
    /// Whether U+2581 in a token stands for a space, as in SentencePiece.
    package var metaspace = false
    /// The id of the unknown token; -1 if there is none.
    package var unknown = -1
    /// The id of the mask token; -1 if there is none.
    package var mask = -1
    /// The ids of the special tokens before a text, at most 64.
    package var prefix: [Int] = []
    /// The ids of the special tokens after a text, at most 64.
    package var suffix: [Int] = []
    /// Tokens that are searched in the text before it is split.
    package var added: [Added] = []
    /// Merges by rank.
    package var merges: [Merge] = []
    /// Log probabilities by id; empty for byte pairs.
    package var scores: [Double] = []
    /// The token of each byte, 256 elements; -1 for a byte without one.
    package var byteTokens = [Int](repeating: -1, count: 256)
    /// Normalizer steps and pre-tokenizer steps, without end codes.
    package var normalizer = ByteWriter()
    /// Pre-tokenizer steps (`PreTokenizer.Code` and operands), without the end code.
    package var preTokenizer = ByteWriter()

    /// Creates a section without merges, scores, added tokens and steps.
    package init(model: Model, tokens: [[UInt8]]) {
      self.model = model
      self.tokens = tokens
    }
  }

  /// Two tokens that become one.
  package struct Merge: Sendable {
    /// The id of the first token.
    package let left: UInt32
    /// The id of the second token, directly after the first.
    package let right: UInt32
    /// The id of the concatenation.
    package let both: UInt32

    /// Creates a merge. The ids must be at least 0 and fit 32 bits.
    package init(left: Int, right: Int, both: Int) {
      self.left = UInt32(left)
      self.right = UInt32(right)
      self.both = UInt32(both)
    }
  }

  /// A token that is searched in the text before it is split.
  package struct Added: Sendable {
    /// The id, which must be in the vocabulary.
    package var id: Int
    /// The UTF-8 that is searched.
    package var text: [UInt8]
    /// Whether the token is searched in the normalized text; otherwise in the raw text.
    package var normalized = false
    /// Whether the token also consumes the whitespace before it (`lstrip`).
    package var stripLeft = false
    /// Whether the token also consumes the whitespace after it (`rstrip`).
    package var stripRight = false
    /// Whether the token matches only where no word character is next to it.
    package var singleWord = false
    /// Whether the token controls the model and is no part of a text that it writes.
    package var special = false

    /// Creates a token that matches in the raw text, everywhere, without whitespace around it.
    package init(id: Int, text: [UInt8]) {
      self.id = id
      self.text = text
    }

    var flags: UInt32 {
      (normalized ? 1 : 0) | (stripLeft ? 2 : 0) | (stripRight ? 4 : 0) | (singleWord ? 8 : 0)
        | (special ? 16 : 0)
    }
  }

  /// The bytes of a tokenizer section.
  package static func encode(_ source: Source) -> [UInt8] {
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
