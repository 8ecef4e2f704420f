package import VDSQCheckpoints
package import VDSQFormat
import VDSQTokenizers

/// Converts a `tokenizer.json` to the container's tokenizer section.
package struct TokenizerConversion {
  private let json: JSON
  private let path: String

  /// - Parameter path: the file, for error messages.
  package init(_ json: JSON, path: String) {
    self.json = json
    self.path = path
  }

  /// A section for a vocabulary that only names tokens.
  package static func section(tokens: [[UInt8]]) -> [UInt8] {
    SubwordVocabulary.encode(SubwordVocabulary.Source(model: .bytePairs, tokens: tokens))
  }

  /// - Parameters:
  ///   - vocabularySize: the number of rows of the embedding table, an upper limit of ids.
  ///   - lowercases: whether texts are lower-cased whatever the tokenizer specifies.
  ///   - framed: whether the model adds special tokens around a text.
  /// - Throws: `badInput` if the tokenizer, or a part of it, is of an unsupported kind.
  package func section(
    vocabularySize: Int, lowercases: Bool, framed: Bool = true
  ) throws(VDSQError) -> [UInt8] {
    guard let model = json["model"], let type = model["type"]?.text else {
      throw .badInput("\(path): no model.type")
    }
    switch type {
    case "WordPiece": break
    case "BPE", "Unigram":
      return try SubwordConversion(json, model: model, path: path).section(
        vocabularySize: vocabularySize, isUnigram: type == "Unigram", lowercases: lowercases,
        framed: framed)
    default:
      throw .badInput(
        "\(path): tokenizer model \(type) is not supported; supported: WordPiece, BPE, Unigram")
    }
    var source = WordPieceVocabulary.Source(
      tokens: try tokens(model, vocabularySize: vocabularySize))
    let added = try addedTokens(vocabularySize: vocabularySize)
    // The text of an added token is no word that WordPiece may find.
    for token in added {
      while token.id >= source.tokens.count { source.tokens.append([]) }
    }
    source.options = try normalizer()
    if lowercases { source.options.insert(.lowercase) }
    try checkPreTokenizer()
    source.continuingPrefix = Array((model["continuing_subword_prefix"]?.text ?? "##").utf8)
    source.maximumWordLength = model["max_input_chars_per_word"]?.integer ?? 100
    guard source.maximumWordLength >= 1, source.maximumWordLength <= 10_000 else {
      throw .badInput("\(path): max_input_chars_per_word is not in 1...10000")
    }
    let ids = Dictionary(
      source.tokens.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    func id(_ token: String) throws(VDSQError) -> Int {
      guard let id = ids[Array(token.utf8)] else {
        throw .badInput("\(path): the token \(token) is not in the vocabulary")
      }
      return id
    }
    source.unknown = try id(model["unk_token"]?.text ?? "[UNK]")
    (source.classify, source.separator) = (source.unknown, source.unknown)
    if framed {
      let (first, last) = try frame()
      source.classify = try id(first)
      source.separator = try id(last)
    }
    source.added = added
    return WordPieceVocabulary.encode(source)
  }

  /// Whether the range of a token in a text begins behind the space that belongs to it.
  static func trimsOffsets(_ tokenizer: JSON) -> Bool {
    func parts(_ part: JSON?, _ key: String) -> [JSON] {
      guard let part, !part.isNull else { return [] }
      return (part[key]?.elements ?? [part])
    }
    return tokenizer["model"]?["type"]?.text == "WordPiece"
      || parts(tokenizer["pre_tokenizer"], "pretokenizers").contains {
        $0["type"]?.text == "WhitespaceSplit"
      }
      || parts(tokenizer["post_processor"], "processors").contains {
        ["ByteLevel", "RobertaProcessing"].contains($0["type"]?.text)
          && $0["trim_offsets"]?.boolean ?? true
      }
  }

  private func tokens(_ model: JSON, vocabularySize: Int) throws(VDSQError) -> [[UInt8]] {
    guard let vocab = model["vocab"]?.members, !vocab.isEmpty else {
      throw .badInput("\(path): model.vocab is missing or empty")
    }
    var tokens = [[UInt8]?](repeating: nil, count: min(vocabularySize, vocab.count * 2))
    var last = 0
    for entry in vocab {
      guard let id = entry.value.integer, id >= 0, id < vocabularySize else {
        throw .badInput(
          "\(path): the id of \(entry.key) is not in the embedding table of \(vocabularySize) rows")
      }
      while id >= tokens.count { tokens.append(nil) }
      guard tokens[id] == nil else { throw .badInput("\(path): the id \(id) is there twice") }
      tokens[id] = Array(entry.key.utf8)
      last = max(last, id)
    }
    return tokens[...last].map { $0 ?? [] }
  }

  private func normalizer() throws(VDSQError) -> BertNormalizer.Options {
    let normalizer = json["normalizer"]
    guard let normalizer, normalizer["type"]?.text == "BertNormalizer" else {
      let type = normalizer?["type"]?.text ?? "none"
      throw .badInput("\(path): normalizer \(type) is not supported; supported: BertNormalizer")
    }
    var options: BertNormalizer.Options = []
    let lowercase = normalizer["lowercase"]?.boolean ?? true
    if lowercase { options.insert(.lowercase) }
    if normalizer["strip_accents"]?.boolean ?? lowercase { options.insert(.stripAccents) }
    if normalizer["clean_text"]?.boolean ?? true { options.insert(.cleanText) }
    if normalizer["handle_chinese_chars"]?.boolean ?? true { options.insert(.separateIdeographs) }
    return options
  }

  private func checkPreTokenizer() throws(VDSQError) {
    let type = json["pre_tokenizer"]?["type"]?.text ?? "none"
    guard type == "BertPreTokenizer" else {
      throw .badInput(
        "\(path): pre_tokenizer \(type) is not supported; supported: BertPreTokenizer")
    }
  }

  /// The tokens that go before and after a text.
  private func frame() throws(VDSQError) -> (first: String, last: String) {
    let processor = json["post_processor"]
    switch processor?["type"]?.text {
    case "BertProcessing", "RobertaProcessing":
      if let first = processor?["cls"]?.elements?.first?.text,
        let last = processor?["sep"]?.elements?.first?.text
      {
        return (first, last)
      }
    case "TemplateProcessing":
      let pieces = processor?["single"]?.elements ?? []
      if pieces.count == 3, pieces[1]["Sequence"] != nil,
        let first = pieces[0]["SpecialToken"]?["id"]?.text,
        let last = pieces[2]["SpecialToken"]?["id"]?.text
      {
        return (first, last)
      }
    default: break
    }
    throw .badInput("\(path): post_processor: only [CLS] text [SEP] is supported")
  }

  private func addedTokens(
    vocabularySize: Int
  ) throws(VDSQError) -> [SubwordVocabulary.Added] {
    var added: [SubwordVocabulary.Added] = []
    for token in json["added_tokens"]?.elements ?? [] {
      guard let id = token["id"]?.integer, id >= 0, id < vocabularySize,
        let content = token["content"]?.text, !content.isEmpty
      else { throw .badInput("\(path): an added token has no content, or an id out of range") }
      var one = SubwordVocabulary.Added(id: id, text: Array(content.utf8))
      // Whitespace around a token belongs to no word, so it does not matter whether the token takes
      // it.
      one.normalized = token["normalized"]?.boolean ?? false
      one.singleWord = token["single_word"]?.boolean ?? false
      added.append(one)
    }
    return added
  }
}
