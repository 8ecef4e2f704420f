import VDSQFormat

/// Finds added tokens in a text, from left to right. At each position, the longest token wins.
struct AddedTokenFinder {
  private let tokens: [(token: AddedToken, text: [UInt8])]
  /// Whether a token starts with a byte.
  private var starts = [Bool](repeating: false, count: 256)

  /// - Parameter text: the spelling of a token in the texts that are searched.
  init(_ tokens: [AddedToken], text: (AddedToken) -> [UInt8] = { Array($0.text) }) {
    var all: [(token: AddedToken, text: [UInt8])] = []
    for token in tokens {
      let text = text(token)
      if let first = text.first {
        all.append((token, text))
        starts[Int(first)] = true
      }
    }
    self.tokens = all
  }

  var isEmpty: Bool { tokens.isEmpty }

  /// The first added token at or after `position`: the range of text that it replaces, and the
  /// token.
  func next(
    in text: UnsafeRawBufferPointer, from position: Int
  ) -> (range: Range<Int>, token: AddedToken)? {
    var place = position
    while place < text.count {
      if let (token, length) = token(in: text, at: place) {
        var start = place
        var end = place + length
        if token.flags.contains(.stripLeft) {
          while start > position, let before = Self.whitespace(text, endingAt: start),
            before >= position
          { start = before }
        }
        if token.flags.contains(.stripRight) {
          while let after = Self.whitespace(text, startingAt: end) { end = after }
        }
        return (start..<end, token)
      }
      place += 1
    }
    return nil
  }

  /// The longest token that begins at `place`, and its length in bytes.
  func token(
    in text: UnsafeRawBufferPointer, at place: Int
  ) -> (AddedToken, length: Int)? {
    guard starts[Int(text[place])] else { return nil }
    var longest: (AddedToken, length: Int)?
    for (token, name) in tokens
    where name.count > (longest?.length ?? 0) && text.count - place >= name.count
      && text[place..<place + name.count].elementsEqual(name)
      && (!token.flags.contains(.singleWord) || stands(in: text, place, name.count))
    { longest = (token, name.count) }
    return longest
  }

  /// Whether no word character is next to a token.
  private func stands(
    in text: UnsafeRawBufferPointer, _ place: Int, _ length: Int
  ) -> Bool {
    var before = place
    if before > 0 {
      before -= 1
      while before > 0, text[before] & 0xC0 == 0x80 { before -= 1 }
      if Self.isWord(text, before) { return false }
    }
    return !Self.isWord(text, place + length)
  }

  private static func isWord(_ text: UnsafeRawBufferPointer, _ place: Int) -> Bool {
    guard place < text.count else { return false }
    var decoder = UTF8Decoder(UnsafeRawBufferPointer(rebasing: text[place...]))
    guard let scalar = decoder.next() else { return false }
    // Joiners and circled letters are word characters too, as in Rust's regular expressions.
    if scalar == 0x200C || scalar == 0x200D || (0x24B6...0x24E9).contains(scalar) { return true }
    switch CharacterData.category(scalar) {
    case .lu, .ll, .lt, .lm, .lo, .mn, .mc, .me, .nd, .nl, .pc: return true
    default: return false
    }
  }

  private static func whitespace(
    _ text: UnsafeRawBufferPointer, startingAt place: Int
  ) -> Int? {
    guard place < text.count else { return nil }
    var decoder = UTF8Decoder(UnsafeRawBufferPointer(rebasing: text[place...]))
    guard let scalar = decoder.next(), CharacterData.isWhitespace(scalar) else { return nil }
    return place + decoder.position
  }

  private static func whitespace(_ text: UnsafeRawBufferPointer, endingAt place: Int) -> Int? {
    guard place > 0 else { return nil }
    var start = place - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return whitespace(text, startingAt: start) == place ? start : nil
  }
}
