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
  private let normalizedTokens: AddedTokenFinder
  private var normalized = NormalizedText()

  /// Creates an encoder with the normalizer options of the vocabulary.
  package init(vocabulary: WordPieceVocabulary) {
    self.vocabulary = vocabulary
    normalizer = BertNormalizer(options: vocabulary.options)
    words = WordBuilder(vocabulary: vocabulary, tokens: TokenBuffer())
    added = AddedTokenFinder(vocabulary.added.filter { !$0.flags.contains(.normalized) })
    // These tokens are normalized like the text in which they are searched.
    normalizedTokens = AddedTokenFinder(
      vocabulary.added.filter { $0.flags.contains(.normalized) },
      text: { token in
        var normalizer = BertNormalizer(options: vocabulary.options)
        var text = NormalizedText()
        var decoder = UTF8Decoder(token.text)
        while let scalar = decoder.next() { normalizer.feed(scalar, to: &text) }
        normalizer.end(&text)
        return text.bytes
      })
  }

  /// Appends `[CLS] text [SEP]` to `tokens`, or the text alone.
  ///
  /// - Parameters:
  ///   - text: UTF-8. Invalid bytes become U+FFFD.
  ///   - limit: the maximum number of ids, including the two special ones; at least 2.
  ///   - framed: whether the special tokens are added.
  /// - Returns: whether the text was truncated.
  package func encode(
    _ text: UnsafeRawBufferPointer, limit: Int, framed: Bool = true, into tokens: inout [Int32]
  ) -> Bool {
    words.reset(capacity: max(0, framed ? limit - 2 : limit))
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
        // Normalized added tokens could lie across their ends.
        if position - start >= 4096, normalizedTokens.isEmpty,
          position == text.count || isBoundary(text, position)
        {
          feed(text[start..<position])
          start = position
        }
      }
    }
    if !words.tokens.overflowed { normalize(text[start...]) }
    if framed { tokens.append(vocabulary.classify) }
    tokens.append(contentsOf: words.tokens.ids)
    if framed { tokens.append(vocabulary.separator) }
    return words.tokens.overflowed
  }

  /// A part of a text, normalized; whitespace counts as spaces.
  func normalized(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var normalizer = BertNormalizer(options: vocabulary.options)
    var out = NormalizedText()
    var decoder = UTF8Decoder(text)
    while let scalar = decoder.next() {
      let isSpace = CharacterData.characterClass(scalar).contains(.whitespace)
      normalizer.feed(isSpace ? 0x20 : scalar, to: &out)
    }
    normalizer.end(&out)
    return out.bytes
  }

  /// Whether a run may end before `position`, which must not be in the middle of a scalar.
  private func isBoundary(_ text: UnsafeRawBufferPointer, _ position: Int) -> Bool {
    text[position] < 0x80
  }

  private func feed(_ text: Slice<UnsafeRawBufferPointer>) {
    var decoder = UTF8Decoder(UnsafeRawBufferPointer(rebasing: text))
    while let scalar = decoder.next() { normalizer.feed(scalar, to: &words) }
  }

  /// The rest of the text before an added token or the end.
  private func normalize(_ text: Slice<UnsafeRawBufferPointer>) {
    if normalizedTokens.isEmpty {
      feed(text)
      normalizer.end(&words)
    } else {
      findNormalized(text)
    }
    words.endWord()
  }

  /// Splits a text at the added tokens that are searched in its normalized form.
  private func findNormalized(_ text: Slice<UnsafeRawBufferPointer>) {
    normalized.bytes.removeAll(keepingCapacity: true)
    var decoder = UTF8Decoder(UnsafeRawBufferPointer(rebasing: text))
    while let scalar = decoder.next() { normalizer.feed(scalar, to: &normalized) }
    normalizer.end(&normalized)
    normalized.bytes.withUnsafeBytes { bytes in
      var position = 0
      while position < bytes.count, !words.tokens.overflowed {
        let found = normalizedTokens.next(in: bytes, from: position)
        let end = found?.range.lowerBound ?? bytes.count
        var decoder = UTF8Decoder(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
        while let scalar = decoder.next() { words.add(scalar) }
        if let found { words.addToken(found.token.id) }
        position = found?.range.upperBound ?? bytes.count
      }
    }
  }
}

/// A normalized text as UTF-8.
private struct NormalizedText: ScalarSink {
  var bytes: [UInt8] = []

  mutating func add(_ scalar: UInt32) { bytes.append(scalar: scalar) }
}
