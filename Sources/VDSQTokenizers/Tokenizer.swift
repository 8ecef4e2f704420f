package import VDSQFormat

/// The tokenizer of a model, of the kind that its file holds.
package enum Tokenizer {
  /// A BERT tokenizer.
  case wordPiece(WordPieceTokenizer)
  /// A byte-pair or unigram tokenizer.
  case subwords(SubwordTokenizer)

  /// - Throws: `badInput` if the section is of an unknown kind or malformed.
  package init(section: UnsafeRawBufferPointer, path: String) throws(VDSQError) {
    var reader = ByteReader(section, context: "\(path): tokenizer")
    if try reader.integer(UInt32.self, "kind") == WordPieceVocabulary.kind {
      self = .wordPiece(
        WordPieceTokenizer(vocabulary: try WordPieceVocabulary(section: section, path: path)))
    } else {
      self = .subwords(
        SubwordTokenizer(vocabulary: try SubwordVocabulary(section: section, path: path)))
    }
  }

  /// The number of tokens in the vocabulary.
  package var count: Int {
    switch self {
    case .wordPiece(let t): t.vocabulary.count
    case .subwords(let t): t.vocabulary.table.count
    }
  }

  /// The mask token, whose place a masked language model predicts; nil if there is none.
  package var mask: Int32? {
    switch self {
    case .wordPiece(let t): t.vocabulary.mask
    case .subwords(let t): t.vocabulary.mask < 0 ? nil : t.vocabulary.mask
    }
  }

  /// Whether a word in the middle of a text begins with a space that is part of its first token.
  package var spacesWords: Bool {
    switch self {
    case .wordPiece: false
    case .subwords(let t): t.vocabulary.options.contains(.spacedWords)
    }
  }

  /// Appends the ids of a text.
  ///
  /// - Parameters:
  ///   - text: UTF-8. Invalid bytes become U+FFFD.
  ///   - limit: the maximum number of ids, special tokens included.
  ///   - framed: whether the special tokens around a text are added.
  /// - Returns: whether the text was truncated.
  package func encode(
    _ text: UnsafeRawBufferPointer, limit: Int, framed: Bool = true, into ids: inout [Int32]
  ) -> Bool {
    switch self {
    case .wordPiece(let t): return t.encode(text, limit: limit, framed: framed, into: &ids)
    case .subwords(let t): return t.encode(text, limit: limit, framed: framed, into: &ids)
    }
  }

  /// Appends the text of a token, with spaces as spaces. The bytes may be a part of a UTF-8
  /// sequence.
  package func appendText(of id: Int32, to out: inout [UInt8]) {
    switch self {
    case .wordPiece(let t): out.append(contentsOf: t.vocabulary.text(of: Int(id)))
    case .subwords(let t):
      let text = t.vocabulary.table.text(of: Int(id))
      if text.count == 6, let byte = t.vocabulary.byteTokens.firstIndex(of: id) {
        return out.append(UInt8(byte))
      }
      guard t.vocabulary.options.contains(.metaspace) else {
        return out.append(contentsOf: text)
      }
      var i = 0
      while i < text.count {
        if i + 2 < text.count, text[i] == 0xE2, text[i + 1] == 0x96, text[i + 2] == 0x81 {
          out.append(0x20)
          i += 3
        } else {
          out.append(text[i])
          i += 1
        }
      }
    }
  }

  /// The token whose text is exactly these bytes, with spaces as spaces.
  package func token(_ text: [UInt8]) -> Int32? {
    switch self {
    case .wordPiece(let t): return text.withUnsafeBytes { t.vocabulary.find($0) }
    case .subwords(let t):
      let v = t.vocabulary
      if let id = text.withUnsafeBytes({ v.table.find($0) }) { return id }
      guard v.options.contains(.metaspace) else { return nil }
      var marked: [UInt8] = []
      for byte in text {
        if byte == 0x20 { marked += [0xE2, 0x96, 0x81] } else { marked.append(byte) }
      }
      return marked.withUnsafeBytes { v.table.find($0) }
    }
  }
}

extension Tokenizer {
  /// The tokenizer of a model or of bases; nil if the file has none.
  ///
  /// - Throws: `badInput` if its section is malformed.
  package init?(of file: Container) throws(VDSQError) {
    guard file.sections.contains(where: { $0.kind == .tokenizer }) else { return nil }
    try self.init(section: try file.bytes(of: .tokenizer), path: file.path)
  }
}
