import VDSQCheckpoints
import VDSQFormat

extension TextBoundaries {
  /// The tokens of a checkpoint.
  ///
  /// The ends are all of `eos_token_id` in `generation_config.json` and `config.json`, and the
  /// tokenizer's token of the end.
  ///
  /// - Parameters:
  ///   - settings: the settings of the tokenizer, whose special tokens they name.
  ///   - tokenizer: a `tokenizer.json`.
  ///   - vocabularySize: the number of rows of the embedding table.
  /// - Throws: `badInput`, naming the file, if an id is no integer.
  init(
    _ checkpoint: Checkpoint, _ settings: TokenizerSettings, _ tokenizer: JSON,
    vocabularySize: Int
  ) throws(VDSQError) {
    self.init()
    let generation = try checkpoint.optionalJSON("generation_config.json")
    let files: [(name: String, json: JSON)] =
      (generation.map { [("generation_config.json", $0)] } ?? [])
      + [("config.json", checkpoint.config)]
    func ids(_ key: String) throws(VDSQError) -> [Int32] {
      var all: [Int32] = []
      for file in files {
        guard let value = file.json[key], !value.isNull else { continue }
        for element in value.elements ?? [value] {
          guard let id = element.integer else {
            throw .badInput("\(checkpoint.path)/\(file.name): \(key) is no id of a token")
          }
          // No model can give an id beyond its table; configurations that were made smaller keep
          // those of the original.
          guard id >= 0, id < vocabularySize else { continue }
          if !all.contains(Int32(id)) { all.append(Int32(id)) }
        }
      }
      return all
    }
    let first = settings.specialToken("bos_token"), last = settings.specialToken("eos_token")
    let known = tokenizer.ids(of: Set([first, last].compactMap { $0 }))
    func id(_ token: String?) -> Int32? {
      token.flatMap { known[$0] }.flatMap { $0 < vocabularySize ? Int32($0) : nil }
    }
    ends = try ids("eos_token_id")
    if let own = id(last), !ends.contains(own) { ends.append(own) }
    guard ends.count <= Self.mostEnds else {
      throw .badInput(
        "\(checkpoint.path): eos_token_id has more than \(Self.mostEnds) tokens")
    }
    if settings.namesTokens {
      beginning = id(first) ?? id(last)
    } else if !tokenizer.begins {
      beginning = try ids("bos_token_id").first ?? ends.first
    }
  }
}

extension JSON {
  /// Whether a `tokenizer.json` puts a special token before a text, which then is its beginning.
  fileprivate var begins: Bool {
    postProcessors.contains {
      $0["single"]?.elements?.first?["SpecialToken"] != nil || $0["cls"] != nil
    }
  }

  /// The ids of some tokens of a `tokenizer.json`; added tokens precede others.
  func ids(of wanted: Set<String>) -> [String: Int] {
    var ids: [String: Int] = [:]
    for token in self["added_tokens"]?.elements ?? [] {
      if let text = token["content"]?.text, wanted.contains(text) {
        ids[text] = token["id"]?.integer
      }
    }
    let vocabulary = self["model"]?["vocab"]
    for member in vocabulary?.members ?? [] where wanted.contains(member.key) {
      ids[member.key] = ids[member.key] ?? member.value.integer
    }
    for (id, piece) in (vocabulary?.elements ?? []).enumerated() {
      guard let text = piece.elements?.first?.text, wanted.contains(text) else { continue }
      ids[text] = ids[text] ?? id
    }
    return ids
  }
}
