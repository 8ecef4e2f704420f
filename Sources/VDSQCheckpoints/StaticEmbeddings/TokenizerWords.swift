/// What model2vec takes from the vocabulary of a `tokenizer.json`.
struct TokenizerWords {
  /// The median length of the tokens in characters, rounded down.
  let medianLength: Int
  /// The id of the unknown token; nil if there is none.
  let unknown: Int?

  init(_ tokenizer: JSON) {
    let model = tokenizer["model"]
    var lengths: [Int] = []
    var unknown: Int?
    let name = model?["unk_token"]?.text
    func count(_ text: String, _ id: Int?) {
      lengths.append(text.unicodeScalars.count)
      if let name, text == name { unknown = id }
    }
    let isList = model?["vocab"]?.elements != nil
    if isList {
      unknown = model?["unk_id"]?.integer
      for piece in model?["vocab"]?.elements ?? [] {
        lengths.append(piece.elements?.first?.text?.unicodeScalars.count ?? 0)
      }
    } else {
      model?["vocab"]?.forEachMember { text, id in
        count(text, id.integer)
        return true
      }
    }
    // Added tokens that are not in the vocabulary come behind it.
    let own = lengths.count
    for token in tokenizer["added_tokens"]?.elements ?? [] {
      guard let id = token["id"]?.integer, let text = token["content"]?.text else { continue }
      let isOwn = isList ? id < own : model?["vocab"]?[text] != nil
      if !isOwn { count(text, id) }
    }
    lengths.sort()
    let middle = lengths.count / 2
    medianLength =
      lengths.isEmpty
      ? 0
      : lengths.count % 2 == 1 ? lengths[middle] : (lengths[middle - 1] + lengths[middle]) / 2
    self.unknown = unknown
  }
}
