import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQTokenizers

/// Tokenizers of GGUF files, against ids that Hugging Face's tokenizers give.
@Suite struct GGUFTokenizerTests {
  private struct Vocabulary: Decodable {
    let tokens: [String]
    let merges: [String]
    let ids: [String: [[Int32]]]
  }

  private struct Unigram: Decodable {
    let ids: [String: [[Int32]]]
  }

  private struct Reference: Decodable {
    let texts: [String]
    let bytes: Vocabulary
    let characters: Vocabulary
    let unigram: Unigram
  }

  /// Values whose ids are those of another value in the reference.
  private static let alike = [
    "gpt-2": [
      "phi-2", "olmo", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "mpt", "gigachat",
      "modern-bert", "exaone4", "a.x-4.0", "mellum", "jais", "trillion", "granite-docling",
      "jina-v1-en", "jina-v2-code", "roberta-bpe",
    ],
    "starcoder": [
      "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2",
    ],
    "llama-bpe": [
      "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
    ],
    "qwen2": ["deepseek-r1-qwen", "f2llmv2"],
    "bailingmoe": ["bailingmoe2", "llada-moe"],
    "gpt-4o": ["llama4", "kanana2", "talkie", "minimax-m2"],
    "tiny_aya": ["cohere2moe"], "bloom": ["gpt3-finnish", "poro-chat"],
    "deepseek-v3": ["hunyuan-dense", "joyai-llm", "hy_v4"],
    "gemma4": ["granite-embed-multi-311m", "sarvam-moe"],
  ]
  /// Expressions of llama-bpe without `ignore_merges`, and of qwen2 without NFC, which the ids of
  /// most texts do not depend on.
  private static let related = [
    "smaug-bpe", "dbrx", "chatglm-bpe", "glm4", "stablelm2", "megrez", "hunyuan", "solar-open",
    "grok-2", "kormo",
  ]

  private let folder: TemporaryFolder
  private let reference: Reference

  init() throws {
    folder = try TemporaryFolder()
    reference = try Fixtures.json("gguf-tokenizers.json", as: Reference.self)
  }

  private func json(_ changes: [String: GGUFEditor.Value?]) throws -> JSON {
    var file = GGUFEditor(try Fixtures.data("formats/gpt2.gguf"))
    for (key, value) in changes { file["tokenizer.ggml.\(key)"] = value }
    return try Checkpoint(path: try folder.write(file.data, to: "m.gguf")).tokenizer()
  }

  private func expect(
    _ wanted: [[Int32]], _ changes: [String: GGUFEditor.Value?], _ name: String
  ) throws {
    let section = try TokenizerConversion(try json(changes), path: name).section(
      vocabularySize: 5000, lowercases: false)
    try section.withUnsafeBytes { raw in
      let tokenizer = try Tokenizer(section: raw, path: name)
      for (text, golden) in zip(reference.texts, wanted) {
        var ids: [Int32] = []
        _ = Array(text.utf8).withUnsafeBytes {
          tokenizer.encode($0, limit: 100_000, framed: false, into: &ids)
        }
        #expect(ids == golden, "\(name): \(text.debugDescription)")
      }
    }
    #expect(wanted.count == reference.texts.count)
  }

  private func bytePairs(_ pre: String) -> [String: GGUFEditor.Value?] {
    [
      "tokens": .texts(reference.bytes.tokens), "merges": .texts(reference.bytes.merges),
      "token_type": .int32s(reference.bytes.tokens.map { _ in 1 }), "pre": .text(pre),
      "bos_token_id": .uint32(0), "seperator_token_id": .uint32(0),
    ]
  }

  @Test func textsAreSplitAsModelsWere() throws {
    for (name, wanted) in reference.bytes.ids {
      for pre in [name] + Self.alike[name, default: []] {
        try expect(wanted, bytePairs(pre), pre)
      }
    }
  }

  /// Every value of `tokenizer.ggml.pre` is one of the reference's.
  @Test func allValuesAreTested() throws {
    let tested =
      Array(reference.bytes.ids.keys) + Array(reference.characters.ids.keys)
      + Self.alike.values.joined() + Self.related
    #expect(Set(GGUFPreTokenizer.all.flatMap(\.names)) == Set(tested))
    #expect(GGUFPreTokenizer.all.flatMap(\.names).count == tested.count)
    for name in Self.related { _ = try json(bytePairs(name)) }
  }

  @Test func mergesOfCharacters() throws {
    let vocabulary = reference.characters
    let kinds: [Int32] = vocabulary.tokens.enumerated().map { id, token in
      id < 4 ? 3 : token.hasPrefix("<0x") ? 6 : 1
    }
    for model in ["gemma4", "gpt2"] {
      for pre in model == "gpt2" ? ["gemma4"] + Self.alike["gemma4"]! : [nil] {
        try expect(
          vocabulary.ids["gemma4"]!,
          [
            "model": .text(model), "pre": pre.map { .text($0) }, "bos_token_id": .uint32(2),
            "unknown_token_id": .uint32(3), "tokens": .texts(vocabulary.tokens),
            "merges": .texts(vocabulary.merges), "token_type": .int32s(kinds),
            "add_bos_token": .bool(true),
          ], pre ?? model)
      }
    }
  }

  @Test func unigrams() throws {
    let source = try JSON(
      parsing: Array(Fixtures.data("tokenizers/unigram.json")), context: "unigram")
    let pieces = try #require(source["model"]?["vocab"]?.elements).map { $0.elements! }
    let charsmap = try #require(
      source["normalizer"]?["normalizers"]?.elements?.compactMap {
        $0["precompiled_charsmap"]?.text
      }.first)
    var changes: [String: GGUFEditor.Value?] = [
      "model": .text("t5"), "pre": .text("default"), "merges": nil,
      "tokens": .texts(pieces.map { $0[0].text! } + ["[PAD1]"]),
      "scores": .floats(pieces.map { Float($0[1].double!) } + [-10_000]),
      "token_type": .int32s(pieces.indices.map { $0 == 0 ? 2 : $0 < 3 ? 3 : 1 } + [5]),
      "precompiled_charsmap": .bytes(try #require(Base64.decode(charsmap))),
      "unknown_token_id": .uint32(0), "bos_token_id": .uint32(1), "eos_token_id": .uint32(2),
      "add_space_prefix": .bool(true), "remove_extra_whitespaces": .bool(true),
    ]
    try expect(reference.unigram.ids["merged spaces"]!, changes, "merged spaces")
    // Unused rows do not make unknown characters likelier or less likely.
    changes["add_space_prefix"] = .bool(false)
    try expect(reference.unigram.ids["merged spaces"]!, changes, "without prefix")
    changes["add_space_prefix"] = .bool(true)
    changes["remove_extra_whitespaces"] = .bool(false)
    try expect(reference.unigram.ids["all spaces"]!, changes, "all spaces")
    changes["treat_whitespace_as_suffix"] = .bool(true)
    #expect(throws: VDSQError.self) { try json(changes) }
  }

  /// The tokens around a text, by model and switches. A separator is for pairs.
  @Test func frames() throws {
    func frame(_ changes: [String: GGUFEditor.Value?]) throws -> [String] {
      try #require(json(changes)["post_processor"]?["single"]?.elements).map {
        $0["SpecialToken"]?["id"]?.text ?? "A"
      }
    }
    var changes = bytePairs("roberta-bpe")
    let zero = reference.bytes.tokens[0], one = reference.bytes.tokens[1]
    #expect(try frame(changes) == ["A"])
    changes["add_bos_token"] = .bool(true)
    changes["add_eos_token"] = .bool(true)
    changes["add_sep_token"] = .bool(true)
    changes["eos_token_id"] = .uint32(1)
    #expect(try frame(changes) == [zero, "A", one])
    #expect(try frame(bytePairs("tekken")) == [zero, "A"])
    var unigram = bytePairs("default")
    unigram["model"] = .text("t5")
    unigram["scores"] = .floats(reference.bytes.tokens.map { _ in -1 })
    unigram["eos_token_id"] = .some(nil)
    #expect(try frame(unigram) == ["A", one])
  }

  /// llama.cpp tells by names which tokens take the whitespace beside them.
  @Test func addedTokensTakeSpaces() throws {
    func flags(_ changes: [String: GGUFEditor.Value?]) throws -> [String: [Bool?]] {
      let added = try #require(json(changes)["added_tokens"]?.elements)
      return Dictionary(
        uniqueKeysWithValues: added.map {
          ($0["content"]!.text!, [$0["lstrip"]?.boolean, $0["rstrip"]?.boolean])
        })
    }
    var changes = bytePairs("jina-v2-code")
    changes["tokens"] = .texts(["<mask>", "</s>"] + reference.bytes.tokens.dropFirst(2))
    changes["token_type"] = .int32s([3, 3] + reference.bytes.tokens.dropFirst(2).map { _ in 1 })
    #expect(try flags(changes) == ["<mask>": [true, false], "</s>": [false, false]])
    changes["pre"] = .text("gpt-2")
    #expect(try flags(changes) == ["<mask>": [false, false], "</s>": [false, false]])
  }

  @Test func othersAreRefused() {
    for (key, value) in [("pre", "poetry"), ("model", "rwkv"), ("model", "plamo2")] {
      var changes = bytePairs("gpt-2")
      changes[key] = .text(value)
      #expect("\(key) \(value)") {
        _ = try json(changes)
      } throws: {
        (($0 as? VDSQError)?.message ?? "").contains(value)
      }
    }
  }
}
