import VDSQFormat

/// Encodes text with a BERT tokenizer. The ids are identical to those of Hugging Face's tokenizers.
///
/// Buffers are reused from text to text, so it allocates nothing after the first texts.
package final class WordPieceTokenizer {
  /// The tokens and options, used in place in the map.
  package let vocabulary: WordPieceVocabulary
  private var normalizer: BertNormalizer
  private var words: WordBuilder
  private let added: AddedTokenFinder

  /// Creates an encoder with the normalizer options of the vocabulary.
  package init(vocabulary: WordPieceVocabulary) {
    self.vocabulary = vocabulary
    normalizer = BertNormalizer(options: vocabulary.options)
    words = WordBuilder(vocabulary: vocabulary, tokens: TokenBuffer())
    added = AddedTokenFinder(vocabulary.added)
  }

  /// Appends `[CLS] text [SEP]` to `tokens`.
  ///
  /// - Parameters:
  ///   - text: UTF-8. Invalid bytes become U+FFFD.
  ///   - limit: the maximum number of ids, including the two special ones; at least 2.
  /// - Returns: whether the text was truncated.
  package func encode(
    _ text: UnsafeRawBufferPointer, limit: Int, into tokens: inout [Int32]
  ) -> Bool {
    words.reset(capacity: max(0, limit - 2))
    var start = 0
    var position = 0
    while position < text.count, !words.tokens.overflowed {
      if let (token, length) = added.token(in: text, at: position) {
        normalize(text[start..<position])
        words.addToken(token.id)
        position += length
        start = position
      } else {
        position += 1
        // Text between added tokens is processed in runs, so that a long text stops at the limit.
        if position - start >= 4096, position == text.count || isBoundary(text, position) {
          feed(text[start..<position])
          start = position
        }
      }
    }
    if !words.tokens.overflowed { normalize(text[start...]) }
    tokens.append(vocabulary.classify)
    tokens.append(contentsOf: words.tokens.ids)
    tokens.append(vocabulary.separator)
    return words.tokens.overflowed
  }

  /// Whether a run may end before `position`, which must not be in the middle of a scalar.
  private func isBoundary(_ text: UnsafeRawBufferPointer, _ position: Int) -> Bool {
    text[position] < 0x80
  }

  private func feed(_ text: Slice<UnsafeRawBufferPointer>) {
    var decoder = UTF8Decoder(UnsafeRawBufferPointer(rebasing: text))
    while let scalar = decoder.next() { normalizer.feed(scalar, to: &words) }
  }

  private func normalize(_ text: Slice<UnsafeRawBufferPointer>) {
    feed(text)
    normalizer.end(&words)
  }
}
