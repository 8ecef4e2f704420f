import VDSQCheckpoints
import VDSQFormat
import VDSQTokenizers

/// Converts the `tokenizer.json` of a byte-pair or unigram tokenizer to the container's tokenizer
/// section.
struct SubwordConversion {
  private let json: JSON
  private let model: JSON
  private let path: String

  /// The expression with which GPT-2 splits a text.
  private static let gpt2Pattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  private static let metaspace: [UInt8] = [0xE2, 0x96, 0x81]

  init(_ json: JSON, model: JSON, path: String) {
    self.json = json
    self.model = model
    self.path = path
  }

  private func failure(_ what: String) -> VDSQError { .badInput("\(path): \(what)") }

  /// - Parameters:
  ///   - vocabularySize: the number of rows of the embedding table, an upper limit of ids.
  ///   - lowercases: whether texts are lower-cased whatever the tokenizer specifies.
  func section(
    vocabularySize: Int, isUnigram: Bool, lowercases: Bool, framed: Bool = true
  ) throws(VDSQError) -> [UInt8] {
    let byteLevel = uses("ByteLevel")
    var texts =
      isUnigram
      ? try unigrams(vocabularySize).map { Optional($0.text) } : try pairTokens(vocabularySize)
    let hasNormalizer = lowercases || json["normalizer"].map { !$0.isNull } ?? false
    let addedTokens = try added(vocabularySize, &texts, hasNormalizer: hasNormalizer)
    var source = SubwordVocabulary.Source(
      model: isUnigram ? .unigram : .bytePairs,
      tokens: texts.map { text in
        guard let text else { return [] }
        return byteLevel ? ByteAlphabet.decode(text) ?? Array(text.utf8) : Array(text.utf8)
      })
    source.added = addedTokens
    source.bytes = byteLevel && !isUnigram
    let ids = TokenIndex(texts)
    func id(_ token: String) throws(VDSQError) -> Int {
      guard let id = ids.find(token) else {
        throw failure("the token \(token) is not in the vocabulary")
      }
      return id
    }
    source.byteFallback = model["byte_fallback"]?.boolean ?? false
    if isUnigram {
      source.scores = try unigrams(vocabularySize).map(\.score)
      // Added tokens are searched before splitting, so splitting may not produce them.
      while source.scores.count < source.tokens.count {
        source.scores.append(SubwordVocabulary.noPiece)
      }
      source.unknown = model["unk_id"]?.integer ?? -1
      guard source.unknown < source.tokens.count else { throw failure("unk_id is out of range") }
    } else {
      if let dropout = model["dropout"], !dropout.isEmpty {
        throw failure(
          "model.dropout \(dropout.brief) makes tokens random, which is not supported; set it to null"
        )
      }
      source.merges = try merges(id)
      source.wholeWords = model["ignore_merges"]?.boolean ?? false
      source.fuseUnknown = model["fuse_unk"]?.boolean ?? false
      if let unknown = model["unk_token"]?.text { source.unknown = try id(unknown) }
      for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
        guard (model[key]?.text ?? "").isEmpty else { throw failure("\(key) is not supported") }
      }
    }
    if source.bytes {
      for (id, token) in source.tokens.enumerated()
      where token.count == 1 && source.byteTokens[Int(token[0])] < 0 {
        source.byteTokens[Int(token[0])] = id
      }
    } else if source.byteFallback {
      for byte in 0..<256 {
        let digits = String(byte, radix: 16, uppercase: true)
        source.byteTokens[byte] = ids.find("<0x\(byte < 16 ? "0" : "")\(digits)>") ?? -1
      }
    }
    for name in ["<mask>", "[MASK]"] where source.mask < 0 {
      source.mask = ids.find(name) ?? -1
    }
    if lowercases, !Self.lowercases(json["normalizer"]) {
      source.normalizer.append(TextNormalizer.Code.lowercase.rawValue)
    }
    try writeNormalizer(&source)
    try writePreTokenizer(json["pre_tokenizer"], &source)
    if framed { (source.prefix, source.suffix) = try frame(id) }
    source.spacedWords = byteLevel || source.metaspace
    return SubwordVocabulary.encode(source)
  }

  /// Whether a part of the pre-tokenizer or the decoder has a type.
  private func uses(_ type: String) -> Bool {
    func has(_ part: JSON?) -> Bool {
      guard let part else { return false }
      if part["type"]?.text == type { return true }
      return (part["pretokenizers"]?.elements ?? []).contains { has($0) }
    }
    return has(json["pre_tokenizer"])
  }

  // MARK: Vocabulary

  private func pairTokens(_ vocabularySize: Int) throws(VDSQError) -> [String?] {
    var tokens: [String?] = []
    var failed: VDSQError?
    // Members are read one by one, because a list of all would take more memory than their texts.
    model["vocab"]?.forEachMember { text, value in
      guard let id = value.integer, id >= 0, id < vocabularySize else {
        failed = failure(
          "the id of \(text) is not in the embedding table of \(vocabularySize) rows")
        return false
      }
      while id >= tokens.count { tokens.append(nil) }
      if tokens[id] != nil { failed = failure("the id \(id) is there twice") }
      tokens[id] = text
      return failed == nil
    }
    if let failed { throw failed }
    guard !tokens.isEmpty else { throw failure("model.vocab is missing or empty") }
    return tokens
  }

  private func unigrams(
    _ vocabularySize: Int
  ) throws(VDSQError) -> [(text: String, score: Double)] {
    guard let vocab = model["vocab"]?.elements, !vocab.isEmpty, vocab.count <= vocabularySize else {
      throw failure("model.vocab is missing, empty, or larger than the embedding table")
    }
    var pieces: [(text: String, score: Double)] = []
    for entry in vocab {
      guard let pair = entry.elements, pair.count == 2, let text = pair[0].text,
        let score = pair[1].double
      else { throw failure("model.vocab: piece \(pieces.count) is no text with a score") }
      pieces.append((text, score))
    }
    return pieces
  }

  private func merges(
    _ id: (String) throws(VDSQError) -> Int
  ) throws(VDSQError) -> [SubwordVocabulary.Merge] {
    let entries = model["merges"]?.elements ?? []
    var merges: [SubwordVocabulary.Merge] = []
    merges.reserveCapacity(entries.count)
    for entry in entries {
      let pair: [String]
      if let text = entry.text {
        pair = text.parts(between: UInt8(ascii: " "))
      } else {
        pair = (entry.elements ?? []).compactMap(\.text)
      }
      guard pair.count == 2 else { throw failure("merge \(merges.count) is no pair") }
      merges.append(
        .init(left: try id(pair[0]), right: try id(pair[1]), both: try id(pair[0] + pair[1])))
    }
    return merges
  }

  private func added(
    _ vocabularySize: Int, _ texts: inout [String?], hasNormalizer: Bool
  ) throws(VDSQError) -> [SubwordVocabulary.Added] {
    var all: [SubwordVocabulary.Added] = []
    for token in json["added_tokens"]?.elements ?? [] {
      guard let id = token["id"]?.integer, id >= 0, let content = token["content"]?.text,
        !content.isEmpty
      else { throw failure("an added token has no content or id") }
      // Tokenizers may have tokens beyond the model's vocabulary, which the model can never
      // receive.
      guard id < vocabularySize else { continue }
      while id >= texts.count { texts.append(nil) }
      texts[id] = content
      var one = SubwordVocabulary.Added(id: id, text: Array(content.utf8))
      one.normalized = hasNormalizer && token["normalized"]?.boolean ?? false
      one.stripLeft = token["lstrip"]?.boolean ?? false
      one.stripRight = token["rstrip"]?.boolean ?? false
      one.singleWord = token["single_word"]?.boolean ?? false
      one.special = token["special"]?.boolean ?? false
      all.append(one)
    }
    return all
  }

  // MARK: Normalizer

  /// Whether a normalizer, or a part of it, lower-cases.
  private static func lowercases(_ normalizer: JSON?) -> Bool {
    normalizer?["type"]?.text == "Lowercase"
      || (normalizer?["normalizers"]?.elements ?? []).contains { lowercases($0) }
  }

  private func writeNormalizer(_ source: inout SubwordVocabulary.Source) throws(VDSQError) {
    if let normalizer = json["normalizer"] { try write(normalizer: normalizer, &source) }
  }

  private func write(
    normalizer: JSON, _ source: inout SubwordVocabulary.Source
  ) throws(VDSQError) {
    func step(_ code: TextNormalizer.Code, _ operands: UInt32...) {
      source.normalizer.append(code.rawValue)
      for operand in operands { source.normalizer.append(operand) }
    }
    switch normalizer["type"]?.text {
    case nil where normalizer.isNull: return
    case "Sequence":
      for part in normalizer["normalizers"]?.elements ?? [] {
        try write(normalizer: part, &source)
      }
    case "NFC": step(.form, 0, 1)
    case "NFD": step(.form, 0, 0)
    case "NFKC": step(.form, 1, 1)
    case "NFKD": step(.form, 1, 0)
    case "Lowercase": step(.lowercase)
    case "StripAccents": step(.stripMarks)
    case "Nmt": step(.controls)
    case "Strip":
      let left = normalizer["strip_left"]?.boolean ?? true
      step(.strip, (left ? 1 : 0) | (normalizer["strip_right"]?.boolean ?? true ? 2 : 0))
    case "Prepend":
      step(.prepend)
      let prefix = normalizer["prepend"]?.text ?? ""
      append(Array(prefix.utf8), to: &source.normalizer)
      if Array(prefix.utf8) == Self.metaspace { source.metaspace = true }
    case "Replace":
      let content = normalizer["content"]?.text ?? ""
      step(.replace)
      source.normalizer.append(bytes: try pattern(normalizer["pattern"]))
      append(Array(content.utf8), to: &source.normalizer)
      if Array(content.utf8) == Self.metaspace { source.metaspace = true }
    case "Precompiled":
      guard let text = normalizer["precompiled_charsmap"]?.text, let map = Base64.decode(text),
        map.count >= 4
      else { throw failure("normalizer: precompiled_charsmap is missing or no base64") }
      let length = map.withUnsafeBytes { Int($0.loadUnaligned(as: UInt32.self).littleEndian) }
      guard length >= 4, length % 4 == 0, length <= map.count - 4 else {
        throw failure("normalizer: precompiled_charsmap is cut short")
      }
      step(.charsmap)
      append(Array(map[4..<4 + length]), to: &source.normalizer)
      append(Array(map[(4 + length)...]), to: &source.normalizer)
    case let type:
      throw failure(
        "normalizer \(type ?? "without a type") is not supported; supported: NFC, NFD, NFKC, NFKD, "
          + "Lowercase, StripAccents, Nmt, Strip, Prepend, Replace, Precompiled, Sequence")
    }
  }

  private func append(_ bytes: [UInt8], to out: inout ByteWriter) {
    out.append(UInt32(bytes.count))
    out.append(bytes: bytes)
  }

  /// `{"String": ...}` or `{"Regex": ...}`.
  private func pattern(_ json: JSON?) throws(VDSQError) -> [UInt8] {
    if let text = json?["String"]?.text, !text.isEmpty {
      return try RegexCompiler.compile(RegexCompiler.literal(text), context: path)
    }
    guard let regex = json?["Regex"]?.text else { throw failure("a pattern is missing") }
    return try RegexCompiler.compile(regex, context: path)
  }

  // MARK: Pre-tokenizer

  private func writePreTokenizer(
    _ json: JSON?, _ source: inout SubwordVocabulary.Source
  ) throws(VDSQError) {
    guard let json, !json.isNull else { return }
    func split(
      _ program: [UInt8], _ behavior: PreTokenizer.Behavior, inverted: Bool = false
    ) {
      source.preTokenizer.append(PreTokenizer.Code.split.rawValue)
      source.preTokenizer.append(behavior.rawValue)
      source.preTokenizer.append(UInt32(inverted ? 1 : 0))
      source.preTokenizer.append(bytes: program)
    }
    func regex(_ pattern: String) throws(VDSQError) -> [UInt8] {
      try RegexCompiler.compile(pattern, context: path)
    }
    switch json["type"]?.text {
    case "Sequence":
      for part in json["pretokenizers"]?.elements ?? [] {
        try writePreTokenizer(part, &source)
      }
    case "ByteLevel":
      if json["add_prefix_space"]?.boolean ?? true {
        source.preTokenizer.append(PreTokenizer.Code.prefixSpace.rawValue)
      }
      if json["use_regex"]?.boolean ?? true { split(try regex(Self.gpt2Pattern), .isolated) }
    case "Metaspace":
      let replacement = json["replacement"]?.text ?? "▁"
      let scheme: PreTokenizer.Scheme
      switch json["prepend_scheme"]?.text {
      case "never": scheme = .never
      case "first": scheme = .first
      case "always": scheme = .always
      case nil: scheme = json["add_prefix_space"]?.boolean ?? true ? .always : .never
      case let other?: throw failure("pre_tokenizer: prepend_scheme \(other) is not supported")
      }
      source.preTokenizer.append(PreTokenizer.Code.metaspace.rawValue)
      source.preTokenizer.append(scheme.rawValue)
      source.preTokenizer.append(UInt32(json["split"]?.boolean ?? true ? 1 : 0))
      append(Array(replacement.utf8), to: &source.preTokenizer)
      source.metaspace = source.metaspace || Array(replacement.utf8) == Self.metaspace
    case "Split":
      split(
        try pattern(json["pattern"]), try behavior(json["behavior"]),
        inverted: json["invert"]?.boolean ?? false)
    case "Digits":
      split(
        try regex(json["individual_digits"]?.boolean ?? false ? #"\p{N}"# : #"\p{N}+"#), .isolated)
    case "Punctuation":
      split(
        try regex(#"[!-/:-@\[-`{-~\p{P}]"#), try behavior(json["behavior"] ?? .string("Isolated")))
    case "Whitespace": split(try regex(#"\w+|[^\w\s]+"#), .removed, inverted: true)
    case "WhitespaceSplit": split(try regex(#"\s"#), .removed)
    case "BertPreTokenizer":
      split(try regex(#"\s"#), .removed)
      split(try regex(#"[!-/:-@\[-`{-~\p{P}]"#), .isolated)
    case "CharDelimiterSplit":
      let delimiter = json["delimiter"]?.text ?? " "
      split(try regex(RegexCompiler.literal(delimiter)), .removed)
    case let type:
      throw failure(
        "pre_tokenizer \(type ?? "without a type") is not supported; supported: ByteLevel, Metaspace, "
          + "Split, Digits, Punctuation, Whitespace, WhitespaceSplit, BertPreTokenizer, Sequence")
    }
  }

  private func behavior(_ json: JSON?) throws(VDSQError) -> PreTokenizer.Behavior {
    switch json?.text {
    case "Removed": return .removed
    case "Isolated": return .isolated
    case "MergedWithPrevious": return .mergedWithPrevious
    case "MergedWithNext": return .mergedWithNext
    case "Contiguous": return .contiguous
    default: throw failure("pre_tokenizer: a split's behavior is missing or not known")
    }
  }

  // MARK: Post-processor

  /// The tokens around a text.
  private func frame(
    _ id: (String) throws(VDSQError) -> Int
  ) throws(VDSQError) -> ([Int], [Int]) {
    var before: [Int] = []
    var after: [Int] = []
    for processor in json.postProcessors {
      switch processor["type"]?.text {
      case "RobertaProcessing", "BertProcessing":
        guard let first = processor["cls"]?.elements?.first?.text,
          let last = processor["sep"]?.elements?.first?.text
        else { throw failure("post_processor: cls or sep is missing") }
        before.insert(try id(first), at: 0)
        after.append(try id(last))
      case "TemplateProcessing":
        var seen = false
        var own: [Int] = []
        for piece in processor["single"]?.elements ?? [] {
          if piece["Sequence"] != nil {
            seen = true
          } else if let token = piece["SpecialToken"]?["id"]?.text {
            if seen { after.append(try id(token)) } else { own.append(try id(token)) }
          }
        }
        guard seen else { throw failure("post_processor: a template without the text") }
        before = own + before
      case let type:
        throw failure(
          "post_processor \(type ?? "without a type") is not supported; supported: "
            + "TemplateProcessing, RobertaProcessing, BertProcessing, ByteLevel, Sequence")
      }
    }
    return (before, after)
  }
}

extension JSON {
  /// The post-processors of a `tokenizer.json` that add tokens, those of sequences in their place.
  var postProcessors: [JSON] {
    var found: [JSON] = []
    var waiting = [self["post_processor"] ?? .null]
    while !waiting.isEmpty {
      let processor = waiting.removeFirst()
      switch processor["type"]?.text {
      case "Sequence": waiting = (processor["processors"]?.elements ?? []) + waiting
      case nil where processor.isNull: continue
      case "ByteLevel": continue
      default: found.append(processor)
      }
    }
    return found
  }
}
