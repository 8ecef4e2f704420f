import VDSQFormat

/// Encodes text with a byte-pair or unigram tokenizer. The ids are identical to those of Hugging
/// Face's tokenizers.
///
/// Buffers are reused from text to text.
package final class SubwordTokenizer {
  /// The tokens, merges or scores, and the normalizer and pre-tokenizer steps.
  package let vocabulary: SubwordVocabulary
  private let rawTokens: AddedTokenFinder
  private let normalizedTokens: AddedTokenFinder
  private var tokens = TokenBuffer()
  private var text: [UInt8] = []
  private var scratch: [UInt8] = []
  private var stack = RegexProgram.Stack()
  private var merger = BytePairMerger()
  private var splitter = UnigramSplitter()

  /// Creates an encoder. Added tokens that are normalized are normalized here, once.
  package init(vocabulary: SubwordVocabulary) {
    self.vocabulary = vocabulary
    rawTokens = AddedTokenFinder(vocabulary.added.filter { !$0.flags.contains(.normalized) })
    // These tokens are normalized like the text in which they are searched.
    normalizedTokens = AddedTokenFinder(
      vocabulary.added.filter { $0.flags.contains(.normalized) },
      text: { token in
        var text = Array(token.text)
        var scratch: [UInt8] = []
        var stack = RegexProgram.Stack()
        _ = vocabulary.normalizer.apply(&text, scratch: &scratch, stack: &stack)
        return text
      })
  }

  /// Appends the ids of a text.
  ///
  /// - Parameters:
  ///   - text: UTF-8. Invalid bytes become U+FFFD.
  ///   - limit: the maximum number of ids.
  ///   - framed: whether the special tokens around a text are added.
  /// - Returns: whether the text was truncated.
  func encode(
    _ text: UnsafeRawBufferPointer, limit: Int, framed: Bool, into ids: inout [Int32]
  ) -> Bool {
    let frame = framed ? vocabulary.prefix.count + vocabulary.suffix.count : 0
    tokens.reset(capacity: max(0, limit - frame))
    var position = 0
    while position < text.count, !tokens.overflowed {
      if let found = rawTokens.next(in: text, from: position) {
        segment(UnsafeRawBufferPointer(rebasing: text[position..<found.range.lowerBound]), position)
        tokens.append(found.token.id)
        position = found.range.upperBound
      } else {
        segment(UnsafeRawBufferPointer(rebasing: text[position...]), position)
        position = text.count
      }
    }
    if framed { ids.append(contentsOf: vocabulary.prefix.prefix(limit)) }
    ids.append(contentsOf: tokens.ids)
    if framed {
      ids.append(contentsOf: vocabulary.suffix.prefix(max(0, limit - vocabulary.prefix.count)))
    }
    return tokens.overflowed
  }

  /// A part of a text, normalized.
  func normalized(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
    var text: [UInt8] = []
    TextNormalizer.forEachScalar(raw) { text.append(scalar: $0) }
    _ = vocabulary.normalizer.apply(&text, scratch: &scratch, stack: &stack)
    return text
  }

  /// Text between added tokens.
  private func segment(_ raw: UnsafeRawBufferPointer, _ start: Int) {
    if raw.isEmpty { return }
    text.removeAll(keepingCapacity: true)
    if UTF8Decoder.replacements(in: raw) == 0 {
      text.append(contentsOf: raw)
    } else {
      TextNormalizer.forEachScalar(raw) { text.append(scalar: $0) }
    }
    let losesStart = vocabulary.normalizer.apply(&text, scratch: &scratch, stack: &stack)
    let normalized = text
    normalized.withUnsafeBytes { normalized in
      var position = 0
      while position < normalized.count, !tokens.overflowed {
        let found =
          normalizedTokens.isEmpty ? nil : normalizedTokens.next(in: normalized, from: position)
        let end = found?.range.lowerBound ?? normalized.count
        words(
          UnsafeRawBufferPointer(rebasing: normalized[position..<end]),
          isFirst: start == 0 && position == 0 && !losesStart)
        if let found { tokens.append(found.token.id) }
        position = found?.range.upperBound ?? normalized.count
      }
    }
  }

  private func words(_ text: UnsafeRawBufferPointer, isFirst: Bool) {
    var stack = RegexProgram.Stack()
    swap(&stack, &self.stack)
    vocabulary.preTokenizer.forEachWord(text, isFirst: isFirst, &stack) { word in
      switch vocabulary.model {
      case .bytePairs: mergePairs(word)
      case .unigram: splitUnigrams(word)
      }
      return !tokens.overflowed
    }
    swap(&stack, &self.stack)
  }

  private func mergePairs(_ word: UnsafeRawBufferPointer) {
    if vocabulary.options.contains(.wholeWords), let id = vocabulary.table.find(word) {
      return tokens.append(id)
    }
    merger.begin()
    if vocabulary.options.contains(.bytes) {
      for byte in word where vocabulary.byteTokens[Int(byte)] >= 0 {
        merger.add(vocabulary.byteTokens[Int(byte)])
      }
    } else {
      addScalars(word)
    }
    merger.finish(vocabulary) { tokens.append($0) }
  }

  /// Emits the token of each scalar. A scalar without a token becomes tokens of its bytes, or the
  /// unknown token.
  private func addScalars(_ word: UnsafeRawBufferPointer) {
    var position = 0
    var afterUnknown = false
    while position < word.count {
      let end = min(position + TextNormalizer.scalarLength(word[position]), word.count)
      let piece = UnsafeRawBufferPointer(rebasing: word[position..<end])
      position = end
      if let id = vocabulary.table.find(piece) {
        merger.add(id)
        afterUnknown = false
      } else if hasByteTokens(piece) {
        for byte in piece { merger.add(vocabulary.byteTokens[Int(byte)]) }
        afterUnknown = false
      } else if vocabulary.unknown >= 0 {
        if !(afterUnknown && vocabulary.options.contains(.fuseUnknown)) {
          merger.add(vocabulary.unknown)
        }
        afterUnknown = true
      }
    }
  }

  private func hasByteTokens(_ piece: UnsafeRawBufferPointer) -> Bool {
    vocabulary.options.contains(.byteFallback)
      && piece.allSatisfy { vocabulary.byteTokens[Int($0)] >= 0 }
  }

  private func splitUnigrams(_ word: UnsafeRawBufferPointer) {
    var afterUnknown = false
    splitter.split(word, vocabulary) { piece, token in
      if token >= 0 {
        tokens.append(token)
        afterUnknown = false
      } else if hasByteTokens(piece) {
        for byte in piece { tokens.append(vocabulary.byteTokens[Int(byte)]) }
        afterUnknown = false
      } else {
        if !afterUnknown, vocabulary.unknown >= 0 { tokens.append(vocabulary.unknown) }
        afterUnknown = true
      }
    }
  }
}
