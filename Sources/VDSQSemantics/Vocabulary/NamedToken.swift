package import VDSQFormat
package import VDSQInference
package import VDSQTokenizers

/// A token that a person named by its text or its id.
///
/// `" Paris"` and `"Paris"` are different tokens of most language models: the first one is the word
/// inside a text. A name means exactly the token of this text. If it is that of the word at the
/// beginning of a text, `note` names the other one.
package struct NamedToken {
  /// The token's id.
  package let id: Int32
  /// A line that says which token is meant; nil if the name is not ambiguous.
  package let note: String?

  /// - Parameters:
  ///   - name: the text of a token, spaces included, or its id. A text precedes an id.
  ///   - tokenizer: nil if tokens have no texts.
  ///   - count: the number of ids.
  ///   - option: what the name was given for, which begins the message of an error.
  /// - Throws: `usage` if no token has this text or id; it names the token that differs by a space.
  package init(
    _ name: String, tokenizer: Tokenizer?, count: Int, option: String
  ) throws(VDSQError) {
    let text = Array(name.utf8)
    let number = Int32(name)
    let other = tokenizer.flatMap { Self.variant(of: text, $0) }
    if let id = tokenizer?.token(text), Int(id) < count {
      self.id = id
      if let other, other.isInside {
        note = "\(option): \"\(name)\" is token \(id); \"\(other.text)\" is token \(other.id)"
      } else if let number, number != id, number >= 0, Int(number) < count {
        note = "\(option): \"\(name)\" is the token of this text, \(id), not the id \(number)"
      } else {
        note = nil
      }
      return
    }
    if let number, number >= 0, Int(number) < count {
      (id, note) = (number, nil)
      return
    }
    guard let other else { throw .usage("\(option) \(name): no token has this text or id") }
    throw .usage(
      "\(option) \"\(name)\": no token has this text or id; \"\(other.text)\" is token \(other.id)")
  }

  /// A token of a model.
  package init(_ name: String, of encoder: TextEncoder, option: String) throws(VDSQError) {
    try self.init(
      name, tokenizer: encoder.tokenizer, count: encoder.vocabularySize, option: option)
  }

  /// The token of the same word at another place of a text: with or without the space before it, or
  /// as the continuation of a word. Names of those inside a text say so themselves.
  private static func variant(
    of text: [UInt8], _ tokenizer: Tokenizer
  ) -> (text: String, id: Int32, isInside: Bool)? {
    let continuation = Array("##".utf8)
    let other: [UInt8] =
      switch tokenizer {
      case .wordPiece:
        text.starts(with: continuation) ? Array(text.dropFirst(2)) : continuation + text
      case .subwords: text.first == 0x20 ? Array(text.dropFirst()) : [0x20] + text
      }
    guard !other.isEmpty, let id = tokenizer.token(other) else { return nil }
    return (String(decoding: other, as: UTF8.self), id, isInside: other.count > text.count)
  }
}
