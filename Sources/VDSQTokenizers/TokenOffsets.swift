package import VDSQFormat

/// Finds where the tokens of a text are in it.
///
/// Normalizes the text cluster by cluster, a scalar and its marks at a time, so that each normalized
/// byte is known by its place. The texts of tokens, without spaces, follow one another in these
/// bytes. An unknown token reaches to the next one that is found.
package struct TokenOffsets {
  /// The normalized text without spaces.
  private var bytes: [UInt8] = []
  /// For each of these bytes, the cluster of the text that it is from.
  private var sources: [Range<Int>] = []
  /// Whether a word ends behind a byte: at whitespace, or around punctuation for WordPiece.
  private var endsWord: [Bool] = []
  private let text: UnsafeRawBufferPointer
  private let tokenizer: Tokenizer
  /// Whether a token's range begins behind the space that belongs to it.
  private let trimsSpaces: Bool

  /// - Parameters:
  ///   - text: UTF-8 that outlives this value.
  ///   - trimsSpaces: whether a token's range begins behind the space that belongs to it.
  package init(of text: UnsafeRawBufferPointer, _ tokenizer: Tokenizer, trimsSpaces: Bool) {
    self.text = text
    self.tokenizer = tokenizer
    self.trimsSpaces = trimsSpaces
    var decoder = UTF8Decoder(text)
    var start = 0
    var scalar = decoder.next()
    while let first = scalar {
      var end = decoder.position
      scalar = decoder.next()
      // Marks may be composed with what they follow.
      while let mark = scalar, Self.isMark(mark) {
        end = decoder.position
        scalar = decoder.next()
      }
      add(start..<end, first)
      start = end
    }
  }

  private static func isMark(_ scalar: UInt32) -> Bool {
    switch CharacterData.category(scalar) {
    case .mn, .mc, .me: true
    default: false
    }
  }

  private mutating func add(_ cluster: Range<Int>, _ first: UInt32) {
    if CharacterData.isWhitespace(first), cluster.count <= 4 {
      if !endsWord.isEmpty { endsWord[endsWord.count - 1] = true }
    }
    let isAlone = tokenizer.isWord(first)
    if isAlone, !endsWord.isEmpty { endsWord[endsWord.count - 1] = true }
    let normalized = tokenizer.normalized(UnsafeRawBufferPointer(rebasing: text[cluster]))
    Self.withoutSpaces(normalized) { byte in
      bytes.append(byte)
      sources.append(cluster)
      endsWord.append(isAlone)
    }
  }

  /// Calls `body` with the bytes of a text that are no spaces, whichever of both spellings.
  private static func withoutSpaces(_ text: [UInt8], _ body: (UInt8) -> Void) {
    var i = 0
    while i < text.count {
      if text[i] == 0x20 {
        i += 1
      } else if i + 2 < text.count, text[i] == 0xE2, text[i + 1] == 0x96, text[i + 2] == 0x81 {
        i += 3
      } else {
        body(text[i])
        i += 1
      }
    }
  }

  /// The ranges of tokens in the text, in bytes.
  ///
  /// - Parameter ids: the tokens of the text, from its first on, without special tokens around it.
  package func ranges(of ids: ArraySlice<Int32>) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var position = 0
    for (place, id) in ids.enumerated() {
      let surface = tokenizer.surface(of: id)
      let end: Int
      if id == tokenizer.unknown {
        end = endOfUnknown(from: position, before: ids.dropFirst(place + 1))
      } else {
        var length = 0
        Self.withoutSpaces(surface) { _ in length += 1 }
        end = min(bytes.count, position + length)
      }
      ranges.append(range(position, end, surface))
      position = end
    }
    return ranges
  }

  /// The place behind an unknown token: where the next token is found in the same word, or the end
  /// of the word.
  private func endOfUnknown(from start: Int, before rest: ArraySlice<Int32>) -> Int {
    guard start < bytes.count else { return start }
    var next: [UInt8] = []
    if let id = rest.first, id != tokenizer.unknown, !tokenizer.unknownIsWord {
      Self.withoutSpaces(tokenizer.surface(of: id)) { next.append($0) }
    }
    var end = start + 1
    while end < bytes.count {
      if endsWord[end - 1] { break }
      if !next.isEmpty, sources[end] != sources[end - 1], bytes[end...].starts(with: next) { break }
      end += 1
    }
    return end
  }

  private func range(_ start: Int, _ end: Int, _ surface: [UInt8]) -> Range<Int> {
    guard start < end else {
      // A space alone counts as the beginning of what follows.
      let place = start < sources.count ? sources[start] : text.count..<text.count
      return place
    }
    var lower = sources[start].lowerBound
    if !trimsSpaces, surface.first == 0x20, lower > 0, text[lower - 1] == 0x20 { lower -= 1 }
    return lower..<sources[end - 1].upperBound
  }
}

extension Tokenizer {
  /// The unknown token; -1 if there is none.
  var unknown: Int32 {
    switch self {
    case .wordPiece(let t): t.vocabulary.unknown
    case .subwords(let t): t.vocabulary.unknown
    }
  }

  /// Whether the unknown token stands for a whole word.
  var unknownIsWord: Bool { if case .wordPiece = self { true } else { false } }

  /// Whether tokens continue words by a prefix, so that words are known.
  package var knowsWords: Bool { unknownIsWord }

  /// Whether a token is the unknown one.
  package func isUnknown(_ id: Int32) -> Bool { id == unknown }

  /// The numbers of special tokens before and after a text.
  package var frameLengths: (before: Int, after: Int) {
    switch self {
    case .wordPiece: (1, 1)
    case .subwords(let t): (t.vocabulary.prefix.count, t.vocabulary.suffix.count)
    }
  }

  /// The part of a normalized text that a token stands for.
  fileprivate func surface(of id: Int32) -> [UInt8] {
    var text: [UInt8] = []
    appendText(of: id, to: &text)
    if case .wordPiece(let t) = self { return t.vocabulary.withoutPrefix(text) }
    return text
  }

  /// Whether a scalar is a word by itself.
  fileprivate func isWord(_ scalar: UInt32) -> Bool {
    guard case .wordPiece(let t) = self else { return false }
    let kind = CharacterData.characterClass(scalar)
    return kind.contains(.punctuation)
      || (kind.contains(.ideograph) && t.vocabulary.options.contains(.separateIdeographs))
  }

  /// A part of a text as the vocabulary has it.
  fileprivate func normalized(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    switch self {
    case .wordPiece(let t): t.normalized(text)
    case .subwords(let t): t.normalized(text)
    }
  }
}
