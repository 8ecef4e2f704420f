package import VDSQFormat

/// Finds where the tokens of a text are in it.
///
/// Normalizes the text cluster by cluster, a scalar and its marks at a time, so that each
/// normalized byte is known by its place. The texts of tokens follow one another in these bytes. A
/// space that only one of both has is passed over: tokenizers add spaces, and drop them. An unknown
/// token reaches to the next one that is found.
package struct TokenOffsets {
  /// The normalized text. Spaces are among it if tokens may have them.
  private var bytes: [UInt8] = []
  /// For each of these bytes, the cluster of the text that it is from.
  private var sources: [Range<Int>] = []
  /// Whether a word ends behind a byte: at whitespace, or around punctuation for WordPiece.
  private var endsWord: [Bool] = []
  private let text: UnsafeRawBufferPointer
  private let tokenizer: Tokenizer
  /// Whether the range of a token begins and ends without its spaces.
  private let trimsSpaces: Bool
  /// Whether spaces belong to tokens; otherwise they only part words.
  private let keepsSpaces: Bool
  /// The number of spaces that the tokenizer puts before the text.
  private var addedSpaces = 0

  /// - Parameters:
  ///   - text: UTF-8 that outlives this value.
  ///   - trimsSpaces: whether the range of a token begins and ends without its spaces.
  package init(of text: UnsafeRawBufferPointer, _ tokenizer: Tokenizer, trimsSpaces: Bool) {
    self.text = text
    self.tokenizer = tokenizer
    self.trimsSpaces = trimsSpaces
    keepsSpaces = tokenizer.hasBytePieces || !trimsSpaces
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
    if keepsSpaces {
      var whole: [UInt8] = []
      withSpaces(tokenizer.normalized(text)) { whole.append($0) }
      let leading = whole.firstIndex { $0 != Self.space } ?? whole.count
      addedSpaces = max(0, leading - afterSpaces(0))
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
    let before = bytes.count
    var own: [UInt8] = []
    withoutSpaces(normalized) { own.append($0) }
    for byte in own { add(byte, cluster, endsWord: isAlone) }
    if keepsSpaces, bytes.count == before, !normalized.isEmpty,
      CharacterData.isWhitespace(first) || first == 0x2581
    {
      add(Self.space, cluster, endsWord: false)
    }
  }

  private mutating func add(_ byte: UInt8, _ cluster: Range<Int>, endsWord ends: Bool) {
    bytes.append(byte)
    sources.append(cluster)
    endsWord.append(ends)
  }

  private static let space = UInt8(ascii: " ")

  /// Calls `body` with the bytes of a text, and a space for either spelling of one.
  private func withSpaces(_ text: [UInt8], _ body: (UInt8) -> Void) {
    var i = 0
    while i < text.count {
      let isMarked =
        tokenizer.marksSpaces && i + 2 < text.count && text[i] == 0xE2 && text[i + 1] == 0x96
        && text[i + 2] == 0x81
      body(isMarked ? Self.space : text[i])
      i += isMarked ? 3 : 1
    }
  }

  /// Calls `body` with the bytes of a text that are no spaces, whichever of both spellings.
  private func withoutSpaces(_ text: [UInt8], _ body: (UInt8) -> Void) {
    withSpaces(text) { if $0 != Self.space { body($0) } }
  }

  /// The ranges of tokens in the text, in bytes.
  ///
  /// - Parameter ids: the tokens of the text, from its first on, without special tokens around it.
  package func ranges(of ids: ArraySlice<Int32>) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var (position, added) = (0, addedSpaces)
    for (place, id) in ids.enumerated() {
      var surface: [UInt8] = []
      withSpaces(tokenizer.surface(of: id)) { surface.append($0) }
      let isUnknown = id == tokenizer.unknown
      if isUnknown || surface.first != Self.space { position = afterSpaces(position) }
      let start = position
      if isUnknown {
        position = endOfUnknown(from: start, before: ids.dropFirst(place + 1))
      } else {
        for byte in surface {
          if byte == Self.space, added > 0 {
            added -= 1
            continue
          }
          if byte != Self.space { position = afterSpaces(position) }
          let isThere = byte != Self.space || isSpace(position)
          if isThere, position < bytes.count { position += 1 }
        }
      }
      ranges.append(range(start, position))
    }
    return ranges
  }

  /// The place behind an unknown token: where the next token is found in the same word, or the end
  /// of the word.
  private func endOfUnknown(from start: Int, before rest: ArraySlice<Int32>) -> Int {
    guard start < bytes.count else { return start }
    var next: [UInt8] = []
    if let id = rest.first, id != tokenizer.unknown, !tokenizer.unknownIsWord {
      withoutSpaces(tokenizer.surface(of: id)) { next.append($0) }
    }
    var end = start + 1
    while end < bytes.count {
      if endsWord[end - 1] { break }
      if !next.isEmpty, sources[end] != sources[end - 1], bytes[end...].starts(with: next) { break }
      end += 1
    }
    return end
  }

  private func isSpace(_ position: Int) -> Bool {
    position < bytes.count && bytes[position] == Self.space
  }

  private func afterSpaces(_ position: Int) -> Int {
    var end = position
    while isSpace(end) { end += 1 }
    return end
  }

  private func range(_ start: Int, _ end: Int) -> Range<Int> {
    guard start < end else {
      // A space that the text does not have counts as the beginning of what follows.
      return start < sources.count ? sources[start] : text.count..<text.count
    }
    var (first, last) = (start, end)
    if trimsSpaces {
      first = min(afterSpaces(start), end)
      while last > first, isSpace(last - 1) { last -= 1 }
      guard first < last else {
        let place = sources[end - 1].upperBound
        return place..<place
      }
    }
    return sources[first].lowerBound..<sources[last - 1].upperBound
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

  /// Whether pieces are bytes, spaces among them.
  fileprivate var hasBytePieces: Bool {
    switch self {
    case .wordPiece: false
    case .subwords(let t): t.vocabulary.options.contains(.bytes)
    }
  }

  /// Whether tokens have U+2581 for a space.
  fileprivate var marksSpaces: Bool {
    switch self {
    case .wordPiece: false
    case .subwords(let t): !t.vocabulary.options.contains(.bytes)
    }
  }

  /// Whether tokens continue words by a prefix, so that words are known.
  package var knowsWords: Bool { unknownIsWord }

  /// Whether a token is the unknown one.
  package func isUnknown(_ id: Int32) -> Bool { id == unknown }

  /// The tokens that are searched in texts before these are split, special ones among them.
  package var addedTokens: [Int32] {
    switch self {
    case .wordPiece: []
    case .subwords(let t): t.vocabulary.added.map { $0.id }
    }
  }

  /// The added tokens that control the model, such as those between the messages of a chat. Files
  /// of versions that did not mark them have none.
  package var controlTokens: [Int32] {
    switch self {
    case .wordPiece: []
    case .subwords(let t):
      t.vocabulary.added.filter { $0.flags.contains(.special) }.map { $0.id }
    }
  }

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
