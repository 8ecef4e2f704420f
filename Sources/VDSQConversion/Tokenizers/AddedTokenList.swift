import VDSQCheckpoints

/// The added tokens of a `tokenizer.json`, with more tokens that get ids as Hugging Face's
/// tokenizers give them.
struct AddedTokenList {
  private(set) var elements: [JSON]
  private let vocabulary: JSON?
  /// The first id after the vocabulary and the added tokens; nil until it is needed.
  private var next: Int?

  init(_ tokenizer: JSON) {
    elements = tokenizer["added_tokens"]?.elements ?? []
    vocabulary = tokenizer["model"]?["vocab"]
  }

  /// The texts of the tokens.
  var contents: [String] { elements.compactMap { $0["content"]?.text } }

  private func index(of content: String) -> Int? {
    elements.firstIndex { $0["content"]?.text?.utf8.elementsEqual(content.utf8) ?? false }
  }

  /// The id of an added token; nil if the text is none.
  func id(of content: String) -> Int? {
    index(of: content).flatMap { elements[$0]["id"]?.integer }
  }

  /// The id that a new added token gets: that of the text in the vocabulary, or a new one.
  mutating func nextID(for content: String) -> Int {
    var found: Int?
    var last = -1
    if let pieces = vocabulary?.elements {
      last = pieces.count - 1
      found = pieces.firstIndex {
        $0.elements?.first?.text?.utf8.elementsEqual(content.utf8) ?? false
      }
    } else {
      vocabulary?.forEachMember { text, value in
        let id = value.integer ?? -1
        if text.utf8.elementsEqual(content.utf8) { found = id }
        last = max(last, id)
        return found == nil
      }
    }
    if let found { return found }
    let first =
      next ?? max(last, elements.reduce(-1) { max($0, $1["id"]?.integer ?? -1) }) + 1
    next = first
    return first
  }

  /// Gives an added token other flags.
  mutating func replace(_ content: String, _ flags: JSON) {
    guard let index = index(of: content), let id = elements[index]["id"]?.integer else { return }
    elements[index] = Self.token(id, content, flags)
  }

  mutating func append(_ id: Int, _ content: String, _ flags: JSON) {
    elements.append(Self.token(id, content, flags))
    if id == next { next = id + 1 }
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
