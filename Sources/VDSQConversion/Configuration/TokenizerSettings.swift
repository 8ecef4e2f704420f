import VDSQCheckpoints
import VDSQFormat

/// The settings beside `tokenizer.json`: `tokenizer_config.json` and its older companions, as
/// transformers applies them.
///
/// Classes of its own, such as `BertTokenizer`, build their parts anew from these settings. Others
/// take `tokenizer.json` as it is, and only add tokens.
struct TokenizerSettings {
  /// What the class of a tokenizer takes from the settings.
  private enum Kind {
    /// The normalizer, the special tokens around a text, and the unknown token.
    case bert
    /// Whether a space precedes a text.
    case byteLevel
    /// Builds its parts anew, from settings that are not followed.
    case rebuilt
    /// `tokenizer.json` as it is.
    case plain
  }

  /// Unknown keys and classes, and settings that are missing, as warnings.
  private(set) var warnings: [String] = []
  /// Whether the model is a folder. Other formats have one description of their tokenizer.
  private let isFolder: Bool
  private let path: String
  private let tokenizerPath: String
  /// Nil if there is no `tokenizer_config.json`.
  private let config: JSON?
  private let legacyTokens: JSON?
  private let legacySpecials: JSON?
  private let kind: Kind
  private let className: String

  /// - Throws: `badInput` if a setting is not supported.
  init(_ folder: Checkpoint, _ architecture: CheckpointArchitecture) throws(VDSQError) {
    isFolder = folder.isFolder
    path = "\(folder.path)/tokenizer_config.json"
    tokenizerPath = "\(folder.path)/tokenizer.json"
    config = try folder.optionalJSON("tokenizer_config.json")
    legacyTokens = try folder.optionalJSON("added_tokens.json")
    legacySpecials = try folder.optionalJSON("special_tokens_map.json")
    let type = folder.config["model_type"]?.text ?? ""
    let name =
      config?["tokenizer_class"]?.text ?? folder.config["tokenizer_class"]?.text
      ?? architecture.tokenizerClasses[type] ?? ""
    className = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
    switch className {
    case "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer": kind = .bert
    case "RobertaTokenizer", "GPT2Tokenizer", "GPTNeoXTokenizer": kind = .byteLevel
    case "XLMRobertaTokenizer", "CamembertTokenizer", "LlamaTokenizer", "CodeLlamaTokenizer",
      "Qwen2Tokenizer":
      kind = .rebuilt
    case "PreTrainedTokenizer", "TokenizersBackend", "": kind = .plain
    default:
      kind = .plain
      warnings.append(
        "\(path): tokenizer_class \(name) is not known; tokenizer.json is taken as it is")
    }
    guard let config else { return }
    for key in try SettingKeys.tokenizer.check(config, path: path)
    where !key.hasSuffix("_token") {
      warnings.append("\(path): \(key) is not known, and not followed")
    }
    if let code = config["auto_map"], code["AutoTokenizer"] != nil || code.elements != nil {
      throw .badInput("\(path): auto_map names code of the model's own, which is not run")
    }
  }

  /// The tokenizer with the settings applied.
  ///
  /// - Throws: `badInput`, naming the file and the key, if the two disagree in a way that
  ///   transformers' versions do not resolve alike.
  mutating func apply(to tokenizer: JSON) throws(VDSQError) -> JSON {
    guard isFolder else { return tokenizer }
    if tokenizer["truncation"]?["direction"]?.text == "Left", config?["truncation_side"] == nil {
      throw .badInput("\(tokenizerPath): truncation direction Left is not supported; use Right")
    }
    var result = tokenizer.setting("added_tokens", to: .array(try addedTokens(tokenizer)))
    switch kind {
    case .bert:
      if let normalizer = bertNormalizer(tokenizer) {
        result = result.setting("normalizer", to: normalizer)
      }
      if let frame = bertFrame(tokenizer) { result = result.setting("post_processor", to: frame) }
      if let unknown = token("unk_token"), let model = tokenizer["model"] {
        result = result.setting("model", to: model.setting("unk_token", to: .string(unknown)))
      }
    case .byteLevel, .rebuilt:
      try checkFrame(tokenizer)
      if let split = try preTokenizer(tokenizer) {
        result = result.setting("pre_tokenizer", to: split)
      }
    case .plain: break
    }
    return result
  }

  /// The text of a special token in `tokenizer_config.json`, or in `special_tokens_map.json` if
  /// that counts.
  private func token(_ key: String) -> String? {
    let value = config?[key] ?? (hasDecoder ? nil : legacySpecials?[key])
    return value?.text ?? value?["content"]?.text
  }

  // MARK: BERT

  /// The normalizer of BERT's class. Texts are lower-cased unless a setting says otherwise.
  private mutating func bertNormalizer(_ tokenizer: JSON) -> JSON? {
    guard let old = tokenizer["normalizer"], old["type"]?.text == "BertNormalizer" else {
      return nil
    }
    let lowercase = config?["do_lower_case"]?.boolean ?? true
    let strip = config?["strip_accents"] ?? .null
    let ideographs = config?["tokenize_chinese_chars"]?.boolean ?? true
    guard config != nil else {
      let agrees =
        (old["lowercase"]?.boolean ?? true) == lowercase
        && (old["strip_accents"]?.boolean ?? lowercase) == lowercase
        && (old["handle_chinese_chars"]?.boolean ?? true) == ideographs
      if !agrees {
        warnings.append(
          "\(tokenizerPath): its normalizer is followed; transformers would take the defaults of "
            + "\(className), as there is no tokenizer_config.json")
      }
      return nil
    }
    return JSON(members: [
      ("type", .string("BertNormalizer")), ("clean_text", old["clean_text"] ?? .bool(true)),
      ("handle_chinese_chars", .bool(ideographs)), ("strip_accents", strip),
      ("lowercase", .bool(lowercase)),
    ])
  }

  /// The special tokens around a text, if the settings name them.
  private func bertFrame(_ tokenizer: JSON) -> JSON? {
    let (first, last) = Self.frame(tokenizer["post_processor"])
    guard let cls = token("cls_token") ?? first, let sep = token("sep_token") ?? last,
      !(first.map(cls.isSame) ?? false) || !(last.map(sep.isSame) ?? false)
    else { return nil }
    return JSON(members: [
      ("type", .string("BertProcessing")), ("cls", .array([.string(cls), .number(0)])),
      ("sep", .array([.string(sep), .number(0)])),
    ])
  }

  /// The first special token before a text, and the last one after it.
  private static func frame(_ processor: JSON?) -> (first: String?, last: String?) {
    switch processor?["type"]?.text {
    case "BertProcessing", "RobertaProcessing":
      return (
        processor?["cls"]?.elements?.first?.text, processor?["sep"]?.elements?.first?.text
      )
    case "TemplateProcessing":
      let pieces = processor?["single"]?.elements ?? []
      return (
        pieces.first?["SpecialToken"]?["id"]?.text, pieces.last?["SpecialToken"]?["id"]?.text
      )
    default: return (nil, nil)
    }
  }

  // MARK: Bytes and pieces

  /// The tokens around a text of RoBERTa's classes, which they build anew from the settings.
  private func checkFrame(_ tokenizer: JSON) throws(VDSQError) {
    let keys: (first: String, last: String)
    switch className {
    case "RobertaTokenizer": keys = ("cls_token", "sep_token")
    case "XLMRobertaTokenizer", "CamembertTokenizer": keys = ("bos_token", "eos_token")
    default: return
    }
    let frame = Self.frame(tokenizer["post_processor"])
    for (key, own) in [(keys.first, frame.first), (keys.last, frame.last)] {
      guard let named = token(key), let own, !named.isSame(own) else { continue }
      throw .badInput(
        "\(path): \(key) is \(named), but the post-processor of tokenizer.json has \(own); make them "
          + "agree")
    }
  }

  /// The pre-tokenizer with `add_prefix_space` as the settings say.
  private func preTokenizer(_ tokenizer: JSON) throws(VDSQError) -> JSON? {
    guard let config, let old = tokenizer["pre_tokenizer"] else { return nil }
    let given = config["add_prefix_space"]?.boolean
    guard kind == .byteLevel || given != nil else { return nil }
    let wanted = given ?? false
    guard let own = Self.prefixSpace(old), own != wanted else { return nil }
    guard kind == .byteLevel, old["type"]?.text == "ByteLevel" else {
      throw .badInput(
        "\(path): add_prefix_space is \(wanted), but tokenizer.json says \(own); make them agree")
    }
    return old.setting("add_prefix_space", to: .bool(wanted))
  }

  /// Whether a pre-tokenizer puts a space before a text; nil if it has no part that decides.
  private static func prefixSpace(_ part: JSON) -> Bool? {
    switch part["type"]?.text {
    case "ByteLevel": return part["add_prefix_space"]?.boolean ?? true
    case "Metaspace":
      return part["prepend_scheme"]?.text.map { $0 != "never" }
        ?? part["add_prefix_space"]?.boolean ?? true
    case "Sequence":
      for inner in part["pretokenizers"]?.elements ?? [] {
        if let value = prefixSpace(inner) { return value }
      }
      return nil
    default: return nil
    }
  }

  // MARK: Added tokens

  private var hasDecoder: Bool { config?["added_tokens_decoder"].map { !$0.isNull } ?? false }

  /// The added tokens of `tokenizer.json`, with the flags of the settings, and those that only the
  /// settings have.
  private func addedTokens(_ tokenizer: JSON) throws(VDSQError) -> [JSON] {
    var tokens = AddedTokenList(tokenizer)
    let own = tokens.contents
    for entry in try listed() {
      if let id = tokens.id(of: entry.content) {
        guard id == entry.id else { throw conflict(entry, id) }
        tokens.replace(entry.content, entry.flags)
      } else {
        let id = tokens.nextID(for: entry.content)
        guard id == entry.id else { throw conflict(entry, id) }
        tokens.append(id, entry.content, entry.flags)
      }
    }
    let names = specialTokens()
    if hasDecoder, kind != .plain {
      let listed = Set(try self.listed().map { Array($0.content.utf8) })
      for content in own
      where !listed.contains(Array(content.utf8)) && !names.contains(where: content.isSame) {
        throw .badInput(
          "\(path): added_tokens_decoder lacks the token \(content) of tokenizer.json; make them "
            + "agree")
      }
    }
    for content in names where tokens.id(of: content) == nil && !content.isEmpty {
      tokens.append(tokens.nextID(for: content), content, JSON(members: [("special", .bool(true))]))
    }
    return tokens.elements
  }

  private func conflict(
    _ entry: (id: Int, content: String, flags: JSON, file: String), _ id: Int
  ) -> VDSQError {
    .badInput(
      "\(entry.file): added_tokens_decoder has \(entry.content) with the id \(entry.id), but "
        + "tokenizer.json and transformers give it \(id); make them agree")
  }

  /// The tokens of `added_tokens_decoder`, or of `added_tokens.json` if there is none.
  private func listed() throws(VDSQError) -> [(
    id: Int, content: String, flags: JSON, file: String
  )] {
    var list: [(id: Int, content: String, flags: JSON, file: String)] = []
    if hasDecoder {
      for member in config?["added_tokens_decoder"]?.members ?? [] {
        guard let id = Int(member.key), let content = member.value["content"]?.text else {
          throw .badInput("\(path): added_tokens_decoder: \(member.key) is no token with an id")
        }
        list.append((id, content, member.value, path))
      }
    } else {
      let file = path.dropLast("tokenizer_config.json".count) + "added_tokens.json"
      let names = specialTokens()
      for member in legacyTokens?.members ?? [] {
        guard let id = member.value.integer else {
          throw .badInput("\(file): the id of \(member.key) is no integer")
        }
        let isSpecial = names.contains(where: member.key.isSame)
        list.append(
          (
            id, member.key,
            JSON(members: [("normalized", .bool(!isSpecial)), ("special", .bool(isSpecial))]),
            String(file)
          ))
      }
    }
    return list.sorted { $0.id < $1.id }
  }

  /// The texts of special tokens that the settings name.
  private func specialTokens() -> [String] {
    var names: [String] = []
    func add(_ value: JSON?) {
      if let name = value?.text ?? value?["content"]?.text { names.append(name) }
    }
    for file in [config, hasDecoder ? nil : legacySpecials] {
      for member in file?.members ?? [] {
        if member.key.hasSuffix("_token") {
          add(member.value)
        } else if member.key == "additional_special_tokens" || member.key == "extra_special_tokens"
        {
          for value in member.value.elements ?? member.value.members?.map(\.value) ?? [] {
            add(value)
          }
        }
      }
    }
    return names
  }
}

extension String {
  /// Whether the bytes are the same. `==` would also find canonical equivalents.
  fileprivate func isSame(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
