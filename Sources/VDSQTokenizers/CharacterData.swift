/// What a code point is to a BERT tokenizer.
struct CharacterClass: OptionSet {
  let rawValue: UInt8

  static let whitespace = CharacterClass(rawValue: 1)
  /// A control character (or a null, or U+FFFD) that cleaning removes.
  static let removed = CharacterClass(rawValue: 2)
  static let punctuation = CharacterClass(rawValue: 4)
  /// A CJK ideograph, which stands as a word by itself.
  static let ideograph = CharacterClass(rawValue: 8)
  /// A nonspacing mark, which stripping accents removes.
  static let mark = CharacterClass(rawValue: 16)
}

/// Look-ups in the tables of `UnicodeTables`.
enum CharacterData {
  static func characterClass(_ scalar: UInt32) -> CharacterClass {
    let index = lastIndex(in: UnicodeTables.classes, notAbove: scalar << 8 | 0xFF)
    return CharacterClass(rawValue: UInt8(truncatingIfNeeded: UnicodeTables.classes[index]))
  }

  /// Calls `body` with each scalar of the canonical decomposition.
  static func decompose(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    // Hangul syllables decompose by arithmetic (Unicode standard, section 3.12).
    if scalar >= 0xAC00, scalar < 0xAC00 + 11172 {
      let index = scalar - 0xAC00
      body(0x1100 + index / 588)
      body(0x1161 + index % 588 / 28)
      if index % 28 != 0 { body(0x11A7 + index % 28) }
      return
    }
    map(
      scalar, UnicodeTables.decompositionKeys, UnicodeTables.decompositionEnds,
      UnicodeTables.decompositionScalars, body)
  }

  /// Calls `body` with each scalar of the lower-case form.
  static func lowercase(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    if scalar < 0x80 { return body(scalar >= 0x41 && scalar <= 0x5A ? scalar + 32 : scalar) }
    map(
      scalar, UnicodeTables.lowercaseKeys, UnicodeTables.lowercaseEnds,
      UnicodeTables.lowercaseScalars, body)
  }

  /// The canonical combining class of a scalar that is no nonspacing mark.
  static func combiningClass(_ scalar: UInt32) -> UInt8 {
    let table = UnicodeTables.combining
    guard scalar << 8 >= table[0] & ~0xFF else { return 0 }
    let entry = table[lastIndex(in: table, notAbove: scalar << 8 | 0xFF)]
    return entry >> 8 == scalar ? UInt8(truncatingIfNeeded: entry) : 0
  }

  private static func map(
    _ scalar: UInt32, _ keys: [UInt32], _ ends: [UInt16], _ scalars: [UInt32],
    _ body: (UInt32) -> Void
  ) {
    guard scalar >= keys[0] else { return body(scalar) }
    let index = lastIndex(in: keys, notAbove: scalar)
    guard keys[index] == scalar else { return body(scalar) }
    for i in (index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index]) { body(scalars[i]) }
  }

  /// The last index whose value is at most `limit`; the first value must be.
  private static func lastIndex(in table: [UInt32], notAbove limit: UInt32) -> Int {
    var low = 0
    var high = table.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if table[middle] <= limit { low = middle } else { high = middle }
    }
    return low
  }
}
