import VDSQFormat

extension WordPieceVocabulary {
  /// The parts of a tokenizer section.
  package struct Source: Sendable {
    /// Token strings by id. Every id from 0 on has one.
    package var tokens: [[UInt8]]
    /// Tokens that are searched in the text before it is split.
    package var added: [SubwordVocabulary.Added] = []
    /// The id of `[UNK]`, for words that cannot be split into tokens.
    package var unknown = 0
    /// The id of `[CLS]`, the first token of every text.
    package var classify = 0
    /// The id of `[SEP]`, the last token of every text.
    package var separator = 0
    /// The steps of the normalizer.
    package var options: BertNormalizer.Options = []
    /// The UTF-8 in front of tokens that continue a word.
    package var continuingPrefix: [UInt8] = Array("##".utf8)
    /// The number of scalars beyond which a word becomes `[UNK]`; 1 to 10,000.
    package var maximumWordLength = 100

    /// Creates a section without added tokens. The special tokens have id 0 until they are set.
    package init(tokens: [[UInt8]]) { self.tokens = tokens }
  }

  /// The bytes of a tokenizer section.
  package static func encode(_ source: Source) -> [UInt8] {
    let index = TokenTable.index(of: source.tokens)
    var blob = source.continuingPrefix
    var offsets = [UInt32(blob.count)]
    for token in source.tokens {
      blob += token
      offsets.append(UInt32(blob.count))
    }
    var addedRecords: [UInt32] = []
    for token in source.added {
      addedRecords += [UInt32(token.id), token.flags, UInt32(blob.count), UInt32(token.text.count)]
      blob += token.text
    }
    var out = ByteWriter()
    for field in [
      Int(kind), Int(source.options.rawValue), source.tokens.count, index.count, source.unknown,
      source.classify, source.separator, source.maximumWordLength, source.continuingPrefix.count,
      source.added.count, blob.count,
    ] { out.append(UInt32(field)) }
    out.pad(to: headerLength)
    for value in offsets { out.append(value) }
    for value in index { out.append(value) }
    for value in addedRecords { out.append(value) }
    out.append(bytes: blob)
    return out.bytes
  }
}
