import VDSQFormat

/// Converts the tokenizer of a GGUF file to a `tokenizer.json`.
struct GGUFTokenizer {
  /// The values of `tokenizer.ggml.model`.
  enum Kind: String, CaseIterable {
    case bytePairs = "gpt2"
    case sentencePiece = "llama"
    case wordPiece = "bert"
  }

  private(set) var json = JSON.null
  private let metadata: [String: GGUF.Value]
  private let path: String
  private let tokens: [String]
  /// llama.cpp's token types: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  private let kinds: [Int]

  /// How byte-pair tokenizers split a text, and what they do beside it.
  private struct Splitting {
    /// The names of such tokenizers in llama.cpp.
    let names: [String]
    /// The regular expression of the pieces; nil for GPT-2's.
    var pattern: String?
    /// Whether digits are split off one by one first.
    var splitsDigits = false
    /// Whether words that are tokens are not merged.
    var ignoresMerges = false
    /// Whether texts are normalized to NFC.
    var composes = false
    /// Whether the beginning token is added if the file does not say.
    var addsBeginning = false
    /// Whether the separator is added if the file does not say.
    var addsSeparator = false
  }

  private static let llama3 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
    + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let qwen2 = llama3.replacing("{1,3}", with: "")
  /// Combining marks belong to words.
  private static let qwen35 = qwen2.replacing(#"?\p{L}+"#, with: #"?[\p{L}\p{M}]+"#)
    .replacing(#"[^\s\p{L}\p{N}]"#, with: #"[^\s\p{L}\p{M}\p{N}]"#)

  /// By the values of `tokenizer.ggml.pre` (src/llama-vocab.cpp of llama.cpp).
  private static let splittings = [
    Splitting(
      names: [
        "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
      ], pattern: llama3, ignoresMerges: true, addsBeginning: true),
    Splitting(names: ["smaug-bpe", "dbrx", "chatglm-bpe", "glm4"], pattern: llama3),
    Splitting(names: ["qwen2", "deepseek-r1-qwen"], pattern: qwen2, composes: true),
    Splitting(names: ["qwen35"], pattern: qwen35, composes: true),
    Splitting(names: ["stablelm2", "megrez"], pattern: qwen2),
    Splitting(
      names: ["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone"],
      splitsDigits: true),
    Splitting(
      names: [
        "gpt-2", "phi-2", "olmo", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "mpt",
        "gigachat", "modern-bert", "exaone4",
      ]),
    Splitting(names: ["jina-v1-en", "jina-v2-code", "roberta-bpe"], addsSeparator: true),
  ]

  /// - Throws: `badInput` if the tokenizer is missing or of an unsupported kind.
  init(_ metadata: [String: GGUF.Value], path: String) throws(VDSQError) {
    self.metadata = metadata
    self.path = path
    guard case .texts(let tokens)? = metadata["tokenizer.ggml.tokens"], !tokens.isEmpty else {
      throw .badInput("\(path): the file has no tokenizer (tokenizer.ggml.tokens)")
    }
    self.tokens = tokens
    if case .integers(let kinds)? = metadata["tokenizer.ggml.token_type"] {
      guard kinds.count == tokens.count else {
        throw .badInput("\(path): tokenizer.ggml.token_type is not one for each token")
      }
      self.kinds = kinds
    } else {
      kinds = [Int](repeating: 1, count: tokens.count)
    }
    guard case .text(let model)? = metadata["tokenizer.ggml.model"] else {
      throw .badInput("\(path): metadata tokenizer.ggml.model is missing or no text")
    }
    guard let kind = Kind(rawValue: model) else {
      throw .badInput(
        "\(path): tokenizer \(model) is not supported in GGUF; supported: "
          + Kind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    // These are for unigram tokenizers.
    for key in ["remove_extra_whitespaces", "precompiled_charsmap", "treat_whitespace_as_suffix"] {
      let numbers = metadata["tokenizer.ggml.\(key)"].map { $0.numbers } ?? []
      guard let numbers, numbers.allSatisfy({ $0 == 0 }) else {
        throw .badInput("\(path): tokenizer.ggml.\(key) is not supported with tokenizer \(model)")
      }
    }
    // llama.cpp reads them for WordPiece only. A file that has them elsewhere asks for something
    // else.
    for key in ["lowercase", "strip_accents"].map({ "normalizer.\($0)" })
    where kind != .wordPiece {
      guard try !flag(key, false) else {
        throw .badInput("\(path): tokenizer.ggml.\(key) is not supported with tokenizer \(model)")
      }
    }
    switch kind {
    case .bytePairs: json = try bytePairs()
    case .sentencePiece: json = try sentencePiece()
    case .wordPiece: json = try wordPiece()
    }
  }

  private init(_ other: GGUFTokenizer, tokens: [String], kinds: [Int]) {
    metadata = other.metadata
    path = other.path
    self.tokens = tokens
    self.kinds = kinds
  }

  private func object(_ members: [(String, JSON)]) -> JSON {
    .object(members.map { JSON.Member(key: $0.0, value: $0.1) })
  }

  /// A switch; nil if it is absent.
  private func flag(_ key: String) throws(VDSQError) -> Bool? {
    guard let value = metadata["tokenizer.ggml.\(key)"] else { return nil }
    guard case .boolean(let flag) = value else {
      throw .badInput("\(path): metadata tokenizer.ggml.\(key) is neither true nor false")
    }
    return flag
  }

  private func flag(_ key: String, _ standard: Bool) throws(VDSQError) -> Bool {
    try flag(key) ?? standard
  }

  /// The id of a special token; nil if it is absent.
  ///
  /// - Parameter standard: the id if the key is absent.
  private func id(_ key: String, _ standard: Int? = nil) throws(VDSQError) -> Int? {
    guard let value = metadata["tokenizer.ggml.\(key)_token_id"] else {
      return standard.flatMap { tokens.indices.contains($0) ? $0 : nil }
    }
    // -1 of 32 bits stands for none.
    if case .integer(-1) = value { return nil }
    if case .integer(0xFFFF_FFFF) = value { return nil }
    guard case .integer(let id) = value, tokens.indices.contains(id) else {
      throw .badInput("\(path): metadata tokenizer.ggml.\(key)_token_id is not the id of a token")
    }
    return id
  }

  /// The id of the first special token that the file names.
  private func firstID(of keys: String...) throws(VDSQError) -> Int? {
    for key in keys {
      if let id = try id(key) { return id }
    }
    return nil
  }

  /// The tokens around a text that the switches ask for.
  ///
  /// - Parameters:
  ///   - standards: whether the beginning, the end and the separator are added if the file does not
  ///     say.
  ///   - ids: the ids of the beginning and the end if the file does not say.
  private func frame(
    _ standards: (beginning: Bool, end: Bool, separator: Bool),
    ids: (beginning: Int?, end: Int?) = (nil, nil)
  ) throws(VDSQError) -> JSON {
    func wanted(_ name: String, _ standard: Bool, _ id: Int?) throws(VDSQError) -> [Int] {
      guard try flag("add_\(name)_token", standard) else { return [] }
      guard let id else {
        throw .badInput(
          "\(path): texts get the \(name) token (add_\(name)_token), and the file does not name it")
      }
      return [id]
    }
    let separator = try firstID(of: "seperator", "separator")
    return frame(
      before: try wanted("bos", standards.beginning, try id("bos", ids.beginning)),
      after: try wanted("eos", standards.end, try id("eos", ids.end))
        + wanted("sep", standards.separator, separator))
  }

  private var vocabulary: JSON {
    object(tokens.enumerated().map { ($1, .number(Double($0))) })
  }

  /// Control tokens and user-defined tokens are searched in texts before they are split.
  private var added: JSON {
    .array(
      tokens.indices.filter { kinds[$0] == 3 || kinds[$0] == 4 }.map { id in
        object([
          ("id", .number(Double(id))), ("content", .string(tokens[id])), ("special", .bool(true)),
          ("normalized", .bool(false)),
        ])
      })
  }

  /// The tokens around a text.
  private func frame(before: [Int], after: [Int]) -> JSON {
    func special(_ ids: [Int]) -> [JSON] {
      ids.map { object([("SpecialToken", object([("id", .string(tokens[$0]))]))]) }
    }
    let text = [object([("Sequence", object([("id", .string("A"))]))])]
    return object([
      ("type", .string("TemplateProcessing")),
      ("single", .array(special(before) + text + special(after))),
    ])
  }

  private func document(
    _ model: [(String, JSON)], normalizer: JSON, preTokenizer: JSON, frame: JSON
  ) -> JSON {
    object([
      ("added_tokens", added), ("normalizer", normalizer), ("pre_tokenizer", preTokenizer),
      ("post_processor", frame), ("model", object(model)),
    ])
  }

  private func bytePairs() throws(VDSQError) -> JSON {
    guard case .texts(let merges)? = metadata["tokenizer.ggml.merges"] else {
      throw .badInput("\(path): the file has no tokenizer.ggml.merges")
    }
    let splitting = try splitting()
    let addsSpace = try flag("add_space_prefix", false)
    func level(useRegex: Bool) -> JSON {
      object([
        ("type", .string("ByteLevel")), ("add_prefix_space", .bool(addsSpace)),
        ("use_regex", .bool(useRegex)),
      ])
    }
    func sequence(_ first: JSON, useRegex: Bool) -> JSON {
      object([
        ("type", .string("Sequence")),
        ("pretokenizers", .array([first, level(useRegex: useRegex)])),
      ])
    }
    let preTokenizer: JSON
    if let pattern = splitting.pattern {
      let split = object([
        ("type", .string("Split")), ("pattern", object([("Regex", .string(pattern))])),
        ("behavior", .string("Isolated")), ("invert", .bool(false)),
      ])
      preTokenizer = sequence(split, useRegex: false)
    } else if splitting.splitsDigits {
      let digits = object([("type", .string("Digits")), ("individual_digits", .bool(true))])
      preTokenizer = sequence(digits, useRegex: true)
    } else {
      preTokenizer = level(useRegex: true)
    }
    return document(
      [
        ("type", .string("BPE")), ("vocab", vocabulary),
        ("merges", .array(merges.map { .string($0) })),
        ("ignore_merges", .bool(splitting.ignoresMerges)),
      ],
      normalizer: splitting.composes ? object([("type", .string("NFC"))]) : .null,
      preTokenizer: preTokenizer,
      frame: try frame((splitting.addsBeginning, false, splitting.addsSeparator)))
  }

  /// - Throws: `badInput` if the file does not say how texts are split, or its way is not known.
  private func splitting() throws(VDSQError) -> Splitting {
    let known = Self.splittings.flatMap(\.names).sorted().joined(separator: ", ")
    var name = "gpt-2"
    if let given = metadata["tokenizer.ggml.pre"] {
      guard case .text(let text) = given else {
        throw .badInput("\(path): metadata tokenizer.ggml.pre is no text")
      }
      name = text
    } else if case .text("gpt2")? = metadata["general.architecture"] {
      // GPT-2 itself, in files that are older than the key.
    } else {
      throw .badInput(
        "\(path): metadata tokenizer.ggml.pre is missing, so it is not known how texts are split; set "
          + "it with gguf-new-metadata of the gguf package to one of \(known)")
    }
    guard let splitting = Self.splittings.first(where: { $0.names.contains(name) }) else {
      throw .badInput("\(path): tokenizer.ggml.pre \(name) is not supported; supported: \(known)")
    }
    return splitting
  }

  /// Merges are derived from the scores: among all pairs that form a token, those with the
  /// likeliest token come first.
  private func sentencePiece() throws(VDSQError) -> JSON {
    guard case .numbers(let scores)? = metadata["tokenizer.ggml.scores"],
      scores.count == tokens.count
    else {
      throw .badInput("\(path): tokenizer.ggml.scores is not one for each token")
    }
    var ids: [ByteString: Int] = [:]
    for (id, token) in tokens.enumerated() where kinds[id] == 1 || kinds[id] == 4 {
      ids[ByteString(token)] = id
    }
    var merges: [(score: Double, left: Int, right: Int, text: JSON)] = []
    for (id, token) in tokens.enumerated() where kinds[id] == 1 {
      let scalars = Array(token.unicodeScalars)
      guard scalars.count > 1, scalars.count <= 256 else { continue }
      for cut in 1..<scalars.count {
        let left = String(String.UnicodeScalarView(scalars[..<cut]))
        let right = String(String.UnicodeScalarView(scalars[cut...]))
        guard let a = ids[ByteString(left)], let b = ids[ByteString(right)] else { continue }
        merges.append((scores[id], a, b, .array([.string(left), .string(right)])))
      }
    }
    merges.sort { ($1.score, $0.left, $0.right) < ($0.score, $1.left, $1.right) }
    func step(_ type: String, _ members: [(String, JSON)]) -> JSON {
      object([("type", .string(type))] + members)
    }
    let replace = step(
      "Replace", [("pattern", object([("String", .string(" "))])), ("content", .string("▁"))])
    let prepend =
      try flag("add_space_prefix", true) ? [step("Prepend", [("prepend", .string("▁"))])] : []
    return document(
      [
        ("type", .string("BPE")), ("vocab", vocabulary), ("merges", .array(merges.map(\.text))),
        ("byte_fallback", .bool(true)), ("fuse_unk", .bool(true)),
        ("unk_token", try id("unknown", 0).map { .string(tokens[$0]) } ?? .null),
      ],
      normalizer: step("Sequence", [("normalizers", .array(prepend + [replace]))]),
      preTokenizer: .null,
      frame: try frame((true, false, false), ids: (1, 2)))
  }

  /// GGUF marks tokens that begin words; a `vocab.txt` marks tokens that do not.
  private func wordPiece() throws(VDSQError) -> JSON {
    let names = tokens.enumerated().map { id, token in
      if token.startsWithBytes(of: "▁") { return String(token.unicodeScalars.dropFirst()) }
      let isSpecial =
        kinds[id] == 3 || token.startsWithBytes(of: "[") && token.endsWithBytes(of: "]")
      return isSpecial ? token : "##" + token
    }
    let unknown = try id("unknown").map { names[$0] } ?? "[UNK]"
    // The frame of BERT is the only one that a WordPiece tokenizer has here. llama.cpp adds it
    // whatever the switches say.
    for (key, value) in [
      ("add_bos_token", true), ("add_sep_token", true), ("add_space_prefix", false),
    ] where try flag(key, value) != value {
      throw .badInput("\(path): tokenizer.ggml.\(key) \(!value) is not supported with WordPiece")
    }
    let lowercases = try flag("normalizer.lowercase", true)
    let stripsAccents = try flag("normalizer.strip_accents")
    let renamed = GGUFTokenizer(self, tokens: names, kinds: kinds)
    let first = try firstID(of: "cls", "bos")
    let last = try firstID(of: "seperator", "separator", "eos")
    return renamed.document(
      [
        ("type", .string("WordPiece")), ("vocab", renamed.vocabulary),
        ("unk_token", .string(unknown)),
        ("continuing_subword_prefix", .string("##")), ("max_input_chars_per_word", .number(100)),
      ],
      normalizer: object([
        ("type", .string("BertNormalizer")), ("lowercase", .bool(lowercases)),
        ("clean_text", .bool(true)), ("handle_chinese_chars", .bool(true)),
        ("strip_accents", stripsAccents.map(JSON.bool) ?? .null),
      ]),
      preTokenizer: object([("type", .string("BertPreTokenizer"))]),
      frame: renamed.frame(before: first.map { [$0] } ?? [], after: last.map { [$0] } ?? []))
  }
}
