import VDSQCheckpoints
import VDSQFormat

/// The settings beside `tokenizer.json`: `tokenizer_config.json` and its older companions, as
/// transformers applies them.
///
/// Classes such as `BertTokenizer` build their parts anew from these settings (`TokenizerClass`).
/// Others take `tokenizer.json` as it is, and only add tokens.
struct TokenizerSettings {
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
  /// The class that builds its parts anew; nil for one that takes `tokenizer.json` as it is.
  private let kind: TokenizerClass?
  private let className: String

  /// - Throws: `badInput` if a setting is not supported.
  init(_ folder: Checkpoint, _ architecture: CheckpointArchitecture) throws(VDSQError) {
    isFolder = folder.isFolder
    path = "\(folder.path)/tokenizer_config.json"
    tokenizerPath = "\(folder.path)/tokenizer.json"
    config = try folder.optionalJSON("tokenizer_config.json")
    legacyTokens = try folder.optionalJSON("added_tokens.json")
    legacySpecials = try folder.optionalJSON("special_tokens_map.json")
    let standard = architecture.tokenizerClasses[folder.config["model_type"]?.text ?? ""] ?? ""
    let declared = config?["tokenizer_class"]?.text ?? folder.config["tokenizer_class"]?.text
    // transformers does not trust what folders of some architectures declare.
    let name =
      architecture.ignoresTokenizerClass || standard == Self.plain ? standard : declared ?? standard
    className = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
    kind = TokenizerClass(name: className)
    if kind == nil, !["PreTrainedTokenizer", Self.plain, ""].contains(className) {
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

  /// The class that takes `tokenizer.json` as it is.
  private static let plain = "TokenizersBackend"

  /// The tokenizer with the settings applied.
  ///
  /// - Throws: `badInput`, naming the file and the key, if the two disagree in a way that
  ///   transformers' versions do not resolve alike.
  mutating func apply(to tokenizer: JSON) throws(VDSQError) -> JSON {
    guard isFolder else { return tokenizer }
    if tokenizer["truncation"]?["direction"]?.text == "Left", config?["truncation_side"] == nil {
      throw .badInput("\(tokenizerPath): truncation direction Left is not supported; use Right")
    }
    let result = tokenizer.setting("added_tokens", to: .array(try addedTokens(tokenizer)))
    guard let kind, try builds(kind, tokenizer) else { return result }
    let named = self
    let built = TokenizerBuilder(
      kind: kind, settings: config ?? .object([]),
      token: { key in named.token(key) ?? kind.specialTokens.first { $0.key == key }?.token }
    ).build(result)
    guard config != nil else {
      if !Self.isAlike(result, built) {
        warnings.append(
          "\(tokenizerPath): it is followed; transformers would build other parts, as there is no "
            + "tokenizer_config.json and its class is \(className)")
      }
      return result
    }
    return built
  }

  /// Whether a class builds a tokenizer anew.
  ///
  /// - Throws: `badInput` if the class has another model than the file.
  private mutating func builds(
    _ kind: TokenizerClass, _ tokenizer: JSON
  ) throws(VDSQError) -> Bool {
    // transformers takes a file of bytes as it is then.
    if kind == .llama, Self.isByteLevel(tokenizer) { return false }
    let model = tokenizer["model"]?["type"]?.text ?? kind.model
    guard model != kind.model else { return true }
    guard config == nil else {
      throw .badInput(
        "\(path): tokenizer_class \(className) builds a \(kind.model) tokenizer, but tokenizer.json "
          + "has a \(model) model; if tokenizer.json is right, set tokenizer_class to "
          + "PreTrainedTokenizerFast")
    }
    warnings.append(
      "\(tokenizerPath): it is followed; transformers would build a \(kind.model) tokenizer, as there "
        + "is no tokenizer_config.json and its class is \(className)")
    return false
  }

  /// Whether a part of a tokenizer has the type ByteLevel.
  private static func isByteLevel(_ tokenizer: JSON) -> Bool {
    func has(_ part: JSON?) -> Bool {
      guard let part, !part.isNull else { return false }
      let inner = ["normalizers", "pretokenizers", "processors", "decoders"]
        .flatMap { part[$0]?.elements ?? [] }
      return part["type"]?.text == "ByteLevel" || inner.contains { has($0) }
    }
    return ["normalizer", "pre_tokenizer", "post_processor", "decoder"].contains {
      has(tokenizer[$0])
    }
  }

  /// The text of a special token in `tokenizer_config.json`, or in `special_tokens_map.json` if
  /// that counts.
  private func token(_ key: String) -> String? {
    let value = config?[key] ?? (hasDecoder ? nil : legacySpecials?[key])
    return value?.text ?? value?["content"]?.text
  }

  /// Whether a setting or the class names special tokens.
  var namesTokens: Bool { isFolder && (config != nil || kind != nil || legacySpecials != nil) }

  /// The text of a special token that a setting or else the class names; nil if none does.
  func specialToken(_ key: String) -> String? {
    guard namesTokens else { return nil }
    if let value = config?[key], value.isNull { return nil }
    return token(key) ?? kind?.specialTokens.first { $0.key == key }?.token
  }

  // MARK: Comparison

  /// Whether two tokenizers with the same vocabulary have the same parts. Members that are absent
  /// have their defaults.
  private static func isAlike(_ a: JSON, _ b: JSON) -> Bool {
    let model = ["unk_token", "unk_id", "fuse_unk", "byte_fallback", "ignore_merges", "dropout"]
    return description(a["normalizer"]) == description(b["normalizer"])
      && description(a["pre_tokenizer"]) == description(b["pre_tokenizer"])
      && frame(a["post_processor"]) == frame(b["post_processor"])
      && model.allSatisfy { key in
        let (one, other) = (a["model"]?[key] ?? .null, b["model"]?[key] ?? .null)
        return one == other || one.isEmpty && other.isEmpty
      }
  }

  /// A normalizer or a pre-tokenizer with all its settings; empty for none.
  private static func description(_ part: JSON?) -> [String] {
    guard let part, let type = part["type"]?.text else { return [] }
    func flag(_ key: String, _ standard: Bool) -> String {
      "\(part[key]?.boolean ?? standard)"
    }
    switch type {
    case "Sequence":
      return (part["normalizers"]?.elements ?? part["pretokenizers"]?.elements ?? [])
        .flatMap { description($0) }
    case "ByteLevel": return [type, flag("add_prefix_space", true), flag("use_regex", true)]
    case "Metaspace":
      let scheme =
        part["prepend_scheme"]?.text
        ?? (part["add_prefix_space"]?.boolean ?? true ? "always" : "never")
      return [type, part["replacement"]?.text ?? "▁", scheme, flag("split", true)]
    case "BertNormalizer":
      let lowercase = part["lowercase"]?.boolean ?? true
      return [
        type, "\(lowercase)", flag("strip_accents", lowercase), flag("clean_text", true),
        flag("handle_chinese_chars", true),
      ]
    case "Split":
      return [type, part["pattern"]?["Regex"]?.text ?? part["pattern"]?["String"]?.text ?? ""]
    default: return [type]
    }
  }

  /// The tokens around a text, as far as they are one before and one after it.
  private static func frame(_ processor: JSON?) -> [String] {
    switch processor?["type"]?.text {
    case "BertProcessing", "RobertaProcessing":
      return [processor?["cls"], processor?["sep"]].map { $0?.elements?.first?.text ?? "" }
    case "TemplateProcessing":
      return (processor?["single"]?.elements ?? []).compactMap { $0["SpecialToken"]?["id"]?.text }
    case "Sequence": return (processor?["processors"]?.elements ?? []).flatMap { frame($0) }
    default: return []
    }
  }

  // MARK: Added tokens

  private var hasDecoder: Bool { config?["added_tokens_decoder"].map { !$0.isNull } ?? false }

  /// The added tokens of `tokenizer.json`, with the flags of the settings, and those that only the
  /// settings have.
  private mutating func addedTokens(_ tokenizer: JSON) throws(VDSQError) -> [JSON] {
    var tokens = AddedTokenList(tokenizer)
    if let warning = try tokens.checkIDs(tokenizerPath) { warnings.append(warning) }
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
    if hasDecoder, kind != nil {
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
    // What only the class names matters where the vocabulary has it.
    for (key, content) in config == nil ? [] : kind?.specialTokens ?? [] where token(key) == nil {
      guard tokens.id(of: content) == nil, let id = tokens.vocabularyID(of: content) else {
        continue
      }
      tokens.append(id, content, JSON(members: [("special", .bool(true))]))
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
