/// The properties of a code point that a BERT tokenizer uses.
struct CharacterClass: OptionSet {
  let rawValue: UInt8

  static let whitespace = CharacterClass(rawValue: 1)
  /// A control character (or null, or U+FFFD) that cleaning removes.
  static let removed = CharacterClass(rawValue: 2)
  static let punctuation = CharacterClass(rawValue: 4)
  /// A CJK ideograph, which is a word by itself.
  static let ideograph = CharacterClass(rawValue: 8)
  /// A nonspacing mark, which stripping accents removes.
  static let mark = CharacterClass(rawValue: 16)
}
