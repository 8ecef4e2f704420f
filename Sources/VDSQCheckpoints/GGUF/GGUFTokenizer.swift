import VDSQFormat

/// Converts the tokenizer of a GGUF file to a `tokenizer.json`.
struct GGUFTokenizer {
  private(set) var json = JSON.null
  private let metadata: [String: GGUF.Value]
  let path: String
  let tokens: [String]
  /// llama.cpp's token types: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  let kinds: [Int]

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
    guard let kind = GGUFTokenizerModel(rawValue: model) else {
      throw .badInput(
        "\(path): tokenizer \(model) is not supported in GGUF; supported: "
          + GGUFTokenizerModel.supported)
    }
    // These are for unigram tokenizers, of which none has the last one.
    for key in ["remove_extra_whitespaces", "precompiled_charsmap", "treat_whitespace_as_suffix"]
    where kind != .unigram || key == "treat_whitespace_as_suffix" {
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
    case .bytePairs: json = try bytePairs(try preTokenizer())
    case .gemma4: json = try bytePairs(.gemma4)
    case .sentencePiece: json = try sentencePiece()
    case .wordPiece: json = try wordPiece()
    case .unigram: json = try unigram()
    }
  }

  private init(_ other: GGUFTokenizer, tokens: [String], kinds: [Int]) {
    metadata = other.metadata
    path = other.path
    self.tokens = tokens
    self.kinds = kinds
  }

  func object(_ members: [(String, JSON)]) -> JSON {
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

  /// The numbers of an array; nil if it is absent or one of texts.
  func numbers(_ key: String) -> [Double]? { metadata["tokenizer.ggml.\(key)"]?.numbers }

  func flag(_ key: String, _ standard: Bool) throws(VDSQError) -> Bool {
    try flag(key) ?? standard
  }

  /// The id of a special token; nil if it is absent.
  ///
  /// - Parameter standard: the id if the key is absent.
  func id(_ key: String, _ standard: Int? = nil) throws(VDSQError) -> Int? {
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

  /// The tokens around a text that the switches ask for. A separator is for pairs of texts.
  ///
  /// - Parameters:
  ///   - standards: whether the beginning, the end and, in pairs, the separator are added if the
  ///     file does not say.
  ///   - ids: the ids of the beginning and the end if the file does not say.
  func frame(
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
    _ = try wanted("sep", standards.separator, try firstID(of: "seperator", "separator"))
    return frame(
      before: try wanted("bos", standards.beginning, try id("bos", ids.beginning)),
      after: try wanted("eos", standards.end, try id("eos", ids.end)))
  }

  private var vocabulary: JSON {
    object(tokens.enumerated().map { ($1, .number(Double($0))) })
  }

  /// Unknown, control and user-defined tokens are searched in texts before they are split.
  private var added: JSON {
    let strip = GGUFTokenStrip(metadata)
    return .array(
      tokens.indices.filter { (2...4).contains(kinds[$0]) && !tokens[$0].isEmpty }.map { id in
        object([
          ("id", .number(Double(id))), ("content", .string(tokens[id])),
          ("special", .bool(kinds[id] != 4)), ("normalized", .bool(false)),
          ("lstrip", .bool(strip.left(tokens[id]))), ("rstrip", .bool(strip.right(tokens[id]))),
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

  func document(
    _ model: [(String, JSON)], normalizer: JSON, preTokenizer: JSON, frame: JSON
  ) -> JSON {
    object([
      ("added_tokens", added), ("normalizer", normalizer), ("pre_tokenizer", preTokenizer),
      ("post_processor", frame), ("model", object(model)),
    ])
  }

  private func bytePairs(_ kind: GGUFPreTokenizer) throws(VDSQError) -> JSON {
    guard case .texts(let merges)? = metadata["tokenizer.ggml.merges"] else {
      throw .badInput("\(path): the file has no tokenizer.ggml.merges")
    }
    let addsSpace = try flag("add_space_prefix", false)
    var steps = kind.patterns.map { pattern in
      object([
        ("type", .string("Split")), ("pattern", object([("Regex", .string(pattern))])),
        ("behavior", .string("Isolated")), ("invert", .bool(false)),
      ])
    }
    var normalizers: [JSON] = kind.composes ? [object([("type", .string("NFC"))])] : []
    if kind.isOfCharacters {
      normalizers += spaceMarks(prefix: addsSpace)
    } else {
      // A space in front takes part in the split.
      let space = object([
        ("type", .string("ByteLevel")), ("add_prefix_space", .bool(addsSpace)),
        ("use_regex", .bool(false)),
      ])
      if addsSpace { steps.insert(space, at: 0) } else { steps.append(space) }
    }
    return document(
      [
        ("type", .string("BPE")), ("vocab", vocabulary),
        ("merges", .array(merges.map { .string($0) })),
        ("ignore_merges", .bool(kind.ignoresMerges)),
        ("byte_fallback", .bool(kind.isOfCharacters)),
        (
          "unk_token",
          kind.isOfCharacters ? try id("unknown").map { .string(tokens[$0]) } ?? .null : .null
        ),
      ],
      normalizer: sequence("normalizers", normalizers),
      preTokenizer: sequence("pretokenizers", steps),
      frame: try frame((kind.addsBeginning, false, kind.addsSeparator)))
  }

  func sequence(_ name: String, _ steps: [JSON]) -> JSON {
    object([("type", .string("Sequence")), (name, .array(steps))])
  }

  /// The normalizers that replace spaces by U+2581, which may also begin a text.
  func spaceMarks(prefix: Bool) -> [JSON] {
    let replace = object([
      ("type", .string("Replace")), ("pattern", object([("String", .string(" "))])),
      ("content", .string("▁")),
    ])
    let prepend = object([("type", .string("Prepend")), ("prepend", .string("▁"))])
    return prefix ? [prepend, replace] : [replace]
  }

  /// - Throws: `badInput` if the file does not say how texts are split, or its way is not known.
  private func preTokenizer() throws(VDSQError) -> GGUFPreTokenizer {
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
          + "it with gguf-new-metadata of the gguf package to one of \(GGUFPreTokenizer.supported)")
    }
    guard let kind = GGUFPreTokenizer.all.first(where: { $0.names.contains(name) }) else {
      throw .badInput(
        "\(path): tokenizer.ggml.pre \(name) is not supported; supported: "
          + GGUFPreTokenizer.supported)
    }
    return kind
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
    return document(
      [
        ("type", .string("BPE")), ("vocab", vocabulary), ("merges", .array(merges.map(\.text))),
        ("byte_fallback", .bool(true)), ("fuse_unk", .bool(true)),
        ("unk_token", try id("unknown", 0).map { .string(tokens[$0]) } ?? .null),
      ],
      normalizer: sequence(
        "normalizers", spaceMarks(prefix: try flag("add_space_prefix", true))),
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
