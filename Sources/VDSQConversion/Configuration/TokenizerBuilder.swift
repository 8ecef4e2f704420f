import VDSQCheckpoints

/// Builds the parts of a `tokenizer.json` anew, as a class of transformers' tokenizers does: it
/// keeps the vocabulary, the merges and the added tokens, and the post-processor unless it has one
/// of its own.
struct TokenizerBuilder {
  let kind: TokenizerClass
  /// `tokenizer_config.json`; empty if there is none.
  let settings: JSON
  /// The text of a special token by its key; nil if neither a setting nor the class names it.
  let token: (_ key: String) -> String?

  /// The tokenizer with the parts of the class.
  func build(_ tokenizer: JSON) -> JSON {
    var result = tokenizer
    for (name, part) in parts(tokenizer) { result = result.setting(name, to: part) }
    var model = tokenizer["model"] ?? .object([])
    for (name, value) in modelSettings(tokenizer) { model = model.setting(name, to: value) }
    return result.setting("model", to: model)
  }

  /// The normalizer, the pre-tokenizer and, if the class has its own, the post-processor.
  private func parts(_ tokenizer: JSON) -> [(String, JSON)] {
    switch kind {
    case .bert:
      return [
        ("normalizer", bertNormalizer), ("pre_tokenizer", part("BertPreTokenizer")),
        ("post_processor", frame("BertProcessing", "cls_token", "sep_token")),
      ]
    case .debertaV2:
      let lowercases = settings["do_lower_case"]?.boolean ?? false
      let splits = settings["split_by_punct"]?.boolean ?? false
      let space = metaspace(addsSpace(default: true) ? "always" : "first", split: true)
      let spaces = part(
        "Replace", ("pattern", JSON(members: [("Regex", .string(#"\s{2,}|[\n\r\t]"#))])),
        ("content", .string(" ")))
      let strip = part("Strip", ("strip_left", .bool(false)), ("strip_right", .bool(true)))
      return [
        (
          "normalizer",
          part(
            "Sequence",
            (
              "normalizers",
              .array((lowercases ? [part("Lowercase")] : []) + [spaces, part("NFC"), strip])
            ))
        ),
        (
          "pre_tokenizer",
          splits
            ? sequence(part("Punctuation", ("behavior", .string("Isolated"))), space)
            : sequence(space)
        ),
        ("post_processor", frame("BertProcessing", "cls_token", "sep_token")),
      ]
    case .mpnet:
      // Between the texts of a pair are two separators.
      return [
        ("normalizer", bertNormalizer), ("pre_tokenizer", part("BertPreTokenizer")),
        ("post_processor", frame("RobertaProcessing", "cls_token", "sep_token")),
      ]
    case .roberta:
      return [
        ("normalizer", .null), ("pre_tokenizer", byteLevel(useRegex: true)),
        ("post_processor", frame("RobertaProcessing", "cls_token", "sep_token")),
      ]
    case .gpt2: return [("normalizer", .null), ("pre_tokenizer", byteLevel(useRegex: true))]
    case .gptNeoX:
      // The class takes no tokens around a text from the file.
      return [
        ("normalizer", part("NFC")), ("pre_tokenizer", byteLevel(useRegex: true)),
        ("post_processor", .null),
      ]
    case .qwen2:
      let split = part(
        "Split",
        ("pattern", JSON(members: [("Regex", .string(Self.qwen2Pattern))])),
        ("behavior", .string("Isolated")), ("invert", .bool(false)))
      return [
        ("normalizer", part("NFC")),
        ("pre_tokenizer", sequence(split, byteLevel(useRegex: false))),
      ]
    case .llama:
      let isLegacy = settings["legacy"].map { !$0.isEmpty && !$0.isNull } ?? false
      return [
        ("normalizer", .null),
        (
          "pre_tokenizer",
          metaspace(
            addsSpace(default: true) ? isLegacy ? "always" : "first" : "never", split: false)
        ),
      ]
    case .codeLlama:
      return [
        ("normalizer", .null),
        ("pre_tokenizer", metaspace(addsSpace(default: true) ? "first" : "never", split: false)),
      ]
    case .xlmRoberta, .camembert:
      let scheme = addsSpace(default: true) ? "always" : "never"
      return [
        ("normalizer", Self.precompiled(tokenizer["normalizer"])),
        (
          "pre_tokenizer",
          sequence(part("WhitespaceSplit"), metaspace(scheme, split: true))
        ),
        // Between the texts of a pair are two separators.
        ("post_processor", frame("RobertaProcessing", "bos_token", "eos_token")),
      ]
    }
  }

  /// What the class sets of the model beside vocabulary and merges.
  private func modelSettings(_ tokenizer: JSON) -> [(String, JSON)] {
    let unknown = token("unk_token").map(JSON.string) ?? .null
    switch kind {
    case .bert, .mpnet:
      return [
        ("unk_token", unknown), ("continuing_subword_prefix", .string("##")),
        ("max_input_chars_per_word", .integer(100)),
      ]
    case .xlmRoberta: return [("unk_id", .integer(3)), ("byte_fallback", .bool(false))]
    case .camembert, .debertaV2:
      let pieces = tokenizer["model"]?["vocab"]?.elements ?? []
      let id = pieces.firstIndex { $0.elements?.first == unknown }
      return [("unk_id", .integer(id ?? 0)), ("byte_fallback", .bool(false))]
    case .roberta, .gpt2, .gptNeoX, .qwen2, .llama, .codeLlama:
      let isSentencePiece = kind == .llama || kind == .codeLlama
      return [
        ("dropout", .null), ("unk_token", kind == .codeLlama ? unknown : .null),
        ("continuing_subword_prefix", .null), ("end_of_word_suffix", .null),
        ("fuse_unk", .bool(isSentencePiece)), ("byte_fallback", .bool(isSentencePiece)),
        ("ignore_merges", .bool(false)),
      ]
    }
  }

  /// The expression with which Qwen 2 splits a text.
  private static let qwen2Pattern =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private func addsSpace(default standard: Bool) -> Bool {
    settings["add_prefix_space"]?.boolean ?? standard
  }

  private func part(_ type: String, _ members: (String, JSON)...) -> JSON {
    JSON(members: [("type", .string(type))] + members.map { (key: $0.0, value: $0.1) })
  }

  private func sequence(_ parts: JSON...) -> JSON {
    part("Sequence", ("pretokenizers", .array(parts)))
  }

  private func byteLevel(useRegex: Bool) -> JSON {
    part(
      "ByteLevel", ("add_prefix_space", .bool(addsSpace(default: false))),
      ("use_regex", .bool(useRegex)))
  }

  private func metaspace(_ scheme: String, split: Bool) -> JSON {
    part(
      "Metaspace", ("replacement", .string("▁")), ("prepend_scheme", .string(scheme)),
      ("split", .bool(split)))
  }

  /// The tokens around a text.
  private func frame(_ type: String, _ first: String, _ last: String) -> JSON {
    func named(_ key: String) -> JSON { .array([.string(token(key) ?? ""), .number(0)]) }
    return part(type, ("cls", named(first)), ("sep", named(last)))
  }

  /// Texts are lower-cased unless a setting says otherwise.
  private var bertNormalizer: JSON {
    part(
      "BertNormalizer", ("clean_text", .bool(true)),
      ("handle_chinese_chars", .bool(settings["tokenize_chinese_chars"]?.boolean ?? true)),
      ("strip_accents", settings["strip_accents"] ?? .null),
      ("lowercase", .bool(settings["do_lower_case"]?.boolean ?? true)))
  }

  /// The precompiled map of a normalizer, the only part that the classes keep.
  private static func precompiled(_ normalizer: JSON?) -> JSON {
    let parts = normalizer?["normalizers"]?.elements ?? [normalizer ?? .null]
    return parts.first { $0["type"]?.text == "Precompiled" } ?? .null
  }
}
