import VDSQFormat

/// Collects scalars into words. Whitespace ends a word; punctuation is a word by itself.
struct WordBuilder: ScalarSink {
  /// The UTF-8 of the current word, at most as long as a word of the vocabulary can be.
  private(set) var bytes: [UInt8] = []
  /// The number of scalars in the current word, including those beyond `limit`.
  private(set) var scalars = 0
  let limit: Int
  private let vocabulary: WordPieceVocabulary
  private(set) var tokens: TokenBuffer

  init(vocabulary: WordPieceVocabulary, tokens: TokenBuffer) {
    self.vocabulary = vocabulary
    self.tokens = tokens
    limit = vocabulary.maximumWordLength
  }

  mutating func add(_ scalar: UInt32) {
    let kind = CharacterData.characterClass(scalar)
    if kind.contains(.whitespace) { return endWord() }
    let alone = kind.contains(.punctuation)
    if alone { endWord() }
    scalars += 1
    if scalars <= limit { bytes.append(scalar: scalar) }
    if alone { endWord() }
  }

  mutating func endWord() {
    guard scalars > 0 else { return }
    if scalars > limit {
      tokens.append(vocabulary.unknown)
    } else {
      vocabulary.split(bytes, into: &tokens)
    }
    scalars = 0
    bytes.removeAll(keepingCapacity: true)
  }

  mutating func addToken(_ id: Int32) {
    endWord()
    tokens.append(id)
  }

  /// Starts a new text.
  mutating func reset(capacity: Int) {
    bytes.removeAll(keepingCapacity: true)
    scalars = 0
    tokens.reset(capacity: capacity)
  }
}
