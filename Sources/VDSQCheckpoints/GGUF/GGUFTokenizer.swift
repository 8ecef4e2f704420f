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

  /// Ways to split a text before byte pairs are merged, by llama.cpp's names.
  private static let patterns: [String: String] = {
    let llama3 =
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
      + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    let qwen2 = llama3.replacing("{1,3}", with: "")
    return [
      "llama-bpe": llama3, "llama3": llama3, "llama-v3": llama3, "smaug-bpe": llama3,
      "qwen2": qwen2, "deepseek-r1-qwen": qwen2, "stablelm2": qwen2, "megrez": qwen2,
    ]
  }()
  /// Names of pre-tokenizers that split off single digits, and otherwise split as GPT-2 does.
  private static let digitwise = [
    "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone",
  ]
  /// Names of pre-tokenizers that split as GPT-2 does.
  private static let plain = [
    "gpt-2", "default", "phi-2", "olmo", "dbrx", "jina-es", "jina-de", "mpt",
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
    switch kind {
    case .bytePairs: json = try bytePairs()
    case .sentencePiece: json = try sentencePiece()
    case .wordPiece: json = wordPiece()
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

  private func flag(_ key: String, _ standard: Bool) -> Bool {
    guard case .boolean(let value)? = metadata["tokenizer.ggml.\(key)"] else {
      return standard
    }
    return value
  }

  private func id(_ key: String) -> Int? {
    guard case .integer(let id)? = metadata["tokenizer.ggml.\(key)_token_id"],
      tokens.indices.contains(id)
    else { return nil }
    return id
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
  private func frame(before: Int?, after: Int?) -> JSON {
    func special(_ id: Int?) -> [JSON] {
      id.map { [object([("SpecialToken", object([("id", .string(tokens[$0]))]))])] } ?? []
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
    var name = "default"
    if case .text(let given)? = metadata["tokenizer.ggml.pre"] { name = given }
    let level = { (useRegex: Bool) in
      object([
        ("type", .string("ByteLevel")),
        ("add_prefix_space", .bool(flag("add_space_prefix", false))),
        ("use_regex", .bool(useRegex)),
      ])
    }
    let sequence = { (first: JSON, useRegex: Bool) in
      object([
        ("type", .string("Sequence")), ("pretokenizers", .array([first, level(useRegex)])),
      ])
    }
    let preTokenizer: JSON
    if let pattern = Self.patterns[name] {
      let split = object([
        ("type", .string("Split")), ("pattern", object([("Regex", .string(pattern))])),
        ("behavior", .string("Isolated")), ("invert", .bool(false)),
      ])
      preTokenizer = sequence(split, false)
    } else if Self.digitwise.contains(name) {
      let digits = object([("type", .string("Digits")), ("individual_digits", .bool(true))])
      preTokenizer = sequence(digits, true)
    } else if Self.plain.contains(name) {
      preTokenizer = level(true)
    } else {
      let known = (Array(Self.patterns.keys) + Self.digitwise + Self.plain).sorted()
      throw .badInput(
        "\(path): tokenizer.ggml.pre \(name) is not supported; supported: "
          + known.joined(separator: ", "))
    }
    let isLlama3 = Self.patterns[name] != nil && !name.contains("qwen")
    return document(
      [
        ("type", .string("BPE")), ("vocab", vocabulary),
        ("merges", .array(merges.map { .string($0) })), ("ignore_merges", .bool(isLlama3)),
      ],
      normalizer: name.contains("qwen") ? object([("type", .string("NFC"))]) : .null,
      preTokenizer: preTokenizer,
      frame: frame(
        before: flag("add_bos_token", isLlama3) ? id("bos") : nil,
        after: flag("add_eos_token", false) ? id("eos") : nil))
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
      flag("add_space_prefix", true) ? [step("Prepend", [("prepend", .string("▁"))])] : []
    return document(
      [
        ("type", .string("BPE")), ("vocab", vocabulary), ("merges", .array(merges.map(\.text))),
        ("byte_fallback", .bool(true)), ("fuse_unk", .bool(true)),
        ("unk_token", id("unknown").map { .string(tokens[$0]) } ?? .null),
      ],
      normalizer: step("Sequence", [("normalizers", .array(prepend + [replace]))]),
      preTokenizer: .null,
      frame: frame(
        before: flag("add_bos_token", true) ? id("bos") : nil,
        after: flag("add_eos_token", false) ? id("eos") : nil))
  }

  /// GGUF marks tokens that begin words; a `vocab.txt` marks tokens that do not.
  private func wordPiece() -> JSON {
    let names = tokens.enumerated().map { id, token in
      if token.startsWithBytes(of: "▁") { return String(token.unicodeScalars.dropFirst()) }
      let isSpecial =
        kinds[id] == 3 || token.startsWithBytes(of: "[") && token.endsWithBytes(of: "]")
      return isSpecial ? token : "##" + token
    }
    func named(_ key: String, _ standard: String) -> String {
      id(key).map { names[$0] } ?? standard
    }
    let renamed = GGUFTokenizer(self, tokens: names, kinds: kinds)
    let cls = id("cls") ?? id("bos"), sep = id("seperator") ?? id("separator") ?? id("eos")
    return renamed.document(
      [
        ("type", .string("WordPiece")), ("vocab", renamed.vocabulary),
        ("unk_token", .string(named("unknown", "[UNK]"))),
        ("continuing_subword_prefix", .string("##")), ("max_input_chars_per_word", .number(100)),
      ],
      normalizer: object([
        ("type", .string("BertNormalizer")), ("lowercase", .bool(true)),
        ("clean_text", .bool(true)),
        ("handle_chinese_chars", .bool(true)), ("strip_accents", .null),
      ]),
      preTokenizer: object([("type", .string("BertPreTokenizer"))]),
      frame: renamed.frame(before: cls, after: sep))
  }
}
