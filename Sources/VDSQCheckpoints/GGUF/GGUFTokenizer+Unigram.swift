import VDSQFormat

extension GGUFTokenizer {
  /// A unigram tokenizer (`t5`): XLM-RoBERTa's, T5's and others that SentencePiece makes.
  ///
  /// - Throws: `badInput` if a score or the table of replacements is missing or malformed.
  func unigram() throws(VDSQError) -> JSON {
    guard let scores = numbers("scores"), scores.count == tokens.count,
      scores.allSatisfy(\.isFinite)
    else {
      throw .badInput("\(path): tokenizer.ggml.scores is not one for each token")
    }
    let pieces = zip(tokens, scores).enumerated().map { id, piece in
      // Only normal tokens and unused ones are pieces of words. The others are found before words
      // are split, and their scores say nothing.
      JSON.array([.string(piece.0), .number([1, 5].contains(kinds[id]) ? piece.1 : -1e6)])
    }
    let prefix = try flag("add_space_prefix", false)
    let words: [JSON]
    var normalizers = try replacements()
    if try flag("remove_extra_whitespaces", false) {
      // Every word gets a mark, whatever add_space_prefix says.
      words = [
        object([
          ("type", .string("Split")), ("pattern", object([("String", .string(" "))])),
          ("behavior", .string("Removed")), ("invert", .bool(false)),
        ]),
        object([
          ("type", .string("Metaspace")), ("replacement", .string("▁")),
          ("prepend_scheme", .string("always")), ("split", .bool(false)),
        ]),
      ]
    } else {
      words = []
      normalizers += spaceMarks(prefix: prefix)
    }
    guard let unknown = try id("unknown", 2) else {
      throw .badInput("\(path): tokenizer.ggml.unknown_token_id is missing")
    }
    return document(
      [
        ("type", .string("Unigram")), ("vocab", .array(pieces)), ("unk_id", .integer(unknown)),
        ("byte_fallback", .bool(false)),
      ],
      normalizer: sequence("normalizers", normalizers),
      preTokenizer: sequence("pretokenizers", words),
      frame: try frame((false, true, false), ids: (nil, 1)))
  }

  /// The replacements of `precompiled_charsmap`, as SentencePiece stores them; none if it is absent
  /// or empty.
  private func replacements() throws(VDSQError) -> [JSON] {
    let numbers = numbers("precompiled_charsmap") ?? []
    guard !numbers.isEmpty else { return [] }
    guard numbers.allSatisfy({ $0 >= -128 && $0 <= 255 }) else {
      throw .badInput("\(path): tokenizer.ggml.precompiled_charsmap is not made of bytes")
    }
    let bytes = numbers.map { UInt8(truncatingIfNeeded: Int($0)) }
    return [
      object([
        ("type", .string("Precompiled")), ("precompiled_charsmap", .string(Base64.encode(bytes))),
      ])
    ]
  }
}
