import VDSQCheckpoints
import VDSQFormat

/// The added tokens of a `tokenizer.json`, with more tokens that get ids as Hugging Face's
/// tokenizers give them.
struct AddedTokenList {
  private(set) var elements: [JSON]
  private let vocabulary: JSON?
  /// The number of tokens in the vocabulary; nil until it is needed.
  private var vocabularyCount: Int?

  init(_ tokenizer: JSON) {
    elements = tokenizer["added_tokens"]?.elements ?? []
    vocabulary = tokenizer["model"]?["vocab"]
  }

  /// The texts of the tokens.
  var contents: [String] { elements.compactMap { $0["content"]?.text } }

  private func index(of content: String) -> Int? {
    elements.firstIndex { $0["content"]?.text?.hasSameBytes(as: content) ?? false }
  }

  /// The id of an added token; nil if the text is none.
  func id(of content: String) -> Int? {
    index(of: content).flatMap { elements[$0]["id"]?.integer }
  }

  /// The id of a text in the vocabulary; nil if it is not there.
  func vocabularyID(of content: String) -> Int? {
    if let pieces = vocabulary?.elements {
      return pieces.firstIndex { $0.elements?.first?.text?.hasSameBytes(as: content) ?? false }
    }
    return vocabulary?[content]?.integer
  }

  /// The id that a new added token gets: that of the text in the vocabulary, or a new one.
  mutating func nextID(for content: String) -> Int {
    vocabularyID(of: content)
      ?? nextID(after: elements.reduce(-1) { max($0, $1["id"]?.integer ?? -1) })
  }

  /// The first id after the vocabulary and a highest id of added tokens.
  private mutating func nextID(after highest: Int) -> Int {
    if vocabularyCount == nil {
      var count = vocabulary?.elements?.count ?? 0
      vocabulary?.forEachMember { _, _ in
        count += 1
        return true
      }
      vocabularyCount = count
    }
    return max(vocabularyCount!, highest + 1)
  }

  /// Checks that Hugging Face's tokenizers give the tokens the ids that the file says. They give a
  /// token of the vocabulary its id there, and others ids one after another. An id beyond a gap is
  /// that of the file, for which the model was trained.
  ///
  /// - Returns: a warning for the tokens beyond a gap; nil if there is none.
  /// - Throws: `badInput`, naming a token whose id is that of another.
  mutating func checkIDs(_ path: String) throws(VDSQError) -> String? {
    let ids = vocabularyIDs()
    var highest = -1
    var warning: String?
    for element in elements {
      guard let content = element["content"]?.text, let id = element["id"]?.integer else {
        continue
      }
      let known = ids[ByteString(content)]
      let own = known ?? nextID(after: highest)
      if known == nil, id > own {
        warning =
          warning
          ?? "\(path): added_tokens has \(content) with the id \(id), which is kept; Hugging Face's "
          + "tokenizers give it \(own)"
        highest = id
        continue
      }
      guard id == own else {
        throw .badInput(
          "\(path): added_tokens has \(content) with the id \(id), but transformers gives it \(own), "
            + "\(known == nil ? "the next one" : "its id in the vocabulary"); make "
            + "them agree")
      }
      highest = max(highest, own)
    }
    return warning
  }

  /// The ids in the vocabulary of added tokens that it has.
  private func vocabularyIDs() -> [ByteString: Int] {
    let wanted = Set(contents.map { ByteString($0) })
    var ids: [ByteString: Int] = [:]
    for (id, piece) in (vocabulary?.elements ?? []).enumerated() {
      guard let text = piece.elements?.first?.text, wanted.contains(ByteString(text)) else {
        continue
      }
      ids[ByteString(text)] = id
    }
    vocabulary?.forEachMember { text, value in
      if wanted.contains(ByteString(text)) { ids[ByteString(text)] = value.integer }
      return true
    }
    return ids
  }

  /// Gives an added token other flags.
  mutating func replace(_ content: String, _ flags: JSON) {
    guard let index = index(of: content), let id = elements[index]["id"]?.integer else { return }
    elements[index] = Self.token(id, content, flags)
  }

  mutating func append(_ id: Int, _ content: String, _ flags: JSON) {
    elements.append(Self.token(id, content, flags))
  }

  private static func token(_ id: Int, _ content: String, _ flags: JSON) -> JSON {
    let isSpecial = flags["special"]?.boolean ?? false
    return JSON(
      members: [
        ("id", .integer(id)), ("content", .string(content)),
        ("normalized", flags["normalized"] ?? .bool(!isSpecial)),
      ]
        + ["single_word", "lstrip", "rstrip", "special"].map { ($0, flags[$0] ?? .bool(false)) })
  }
}
