import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQTokenizers

/// Tokens that are canonically equivalent are different tokens, in every kind of file.
@Suite struct EquivalentTokensTests {
  private func document(_ name: String) throws -> JSON {
    try JSON(parsing: Array(Fixtures.data("tokenizers/\(name).json")), context: "")
  }

  private func check(_ json: JSON, _ name: String) throws {
    let golden = try Fixtures.json("tokenizers/\(name).golden.json", as: [Golden].self)
    let section = try TokenizerConversion(json, path: name).section(
      vocabularySize: 100, lowercases: false)
    try section.withUnsafeBytes { raw in
      let tokenizer = try Tokenizer(section: raw, path: name)
      for example in golden {
        var ids: [Int32] = []
        _ = Array(example.text.utf8).withUnsafeBytes {
          tokenizer.encode($0, limit: 100, framed: true, into: &ids)
        }
        #expect(ids == example.ids, "\(example.text.unicodeScalars.map { $0.value })")
      }
    }
  }

  @Test(arguments: ["equivalents-wordpiece", "equivalents-bpe"])
  func idsAreTheReferences(_ name: String) throws { try check(try document(name), name) }

  /// In a GGUF file a token that begins with a combining mark follows the sign of a word's start,
  /// with which it is one character to Swift.
  @Test func marksInGGUF() throws {
    let json = try document("equivalents-wordpiece")
    let tokens = (json["model"]?["vocab"]?.members ?? []).map(\.key)
    #expect(tokens.count > 30)
    var file = GGUFEditor(try Fixtures.data("formats/bert.gguf"))
    file["tokenizer.ggml.tokens"] = .texts(
      tokens.map { token in
        if token.utf8.first == UInt8(ascii: "[") { return token }
        let scalars = token.unicodeScalars
        return token.utf8.starts(with: "##".utf8)
          ? String(String.UnicodeScalarView(scalars.dropFirst(2))) : "▁\(token)"
      })
    file["tokenizer.ggml.token_type"] = .int32s(tokens.indices.map { $0 < 5 ? 3 : 1 })
    for (key, id) in [("bos", 2), ("seperator", 3), ("unknown", 1)] {
      file["tokenizer.ggml.\(key)_token_id"] = .uint32(UInt32(id))
    }
    let folder = try TemporaryFolder()
    let path = try folder.write(file.data, to: "m.gguf")
    let read = try Checkpoint(path: path).tokenizer()
    // BERT's GGUF files are lower-cased, and this vocabulary is not.
    let cased = JSON(
      members: (read.members ?? []).map {
        ($0.key, $0.key == "normalizer" ? json["normalizer"]! : $0.value)
      })
    try check(cased, "equivalents-wordpiece")
  }

  /// Merges of SentencePiece are derived from tokens.
  @Test func mergesOfEquivalentTokens() throws {
    var file = GGUFEditor(try Fixtures.data("formats/llama.gguf"))
    let tokens = ["<unk>", "<s>", "</s>", "▁", "é", "e", "\u{301}", "e\u{301}", "▁é", "▁e\u{301}"]
    file["tokenizer.ggml.tokens"] = .texts(tokens)
    file["tokenizer.ggml.token_type"] = .int32s([2, 3, 3] + tokens.dropFirst(3).map { _ in 1 })
    file["tokenizer.ggml.scores"] = .floats([0, 0, 0, -9, -9, -9, -9, -1, -2, -3])
    let folder = try TemporaryFolder()
    let json = try Checkpoint(path: try folder.write(file.data, to: "m.gguf")).tokenizer()
    let merges = (json["model"]?["merges"]?.elements ?? []).map {
      ($0.elements ?? []).map { Array($0.text!.unicodeScalars.map(\.value)) }
    }
    #expect(merges == [[[0x65], [0x301]], [[0x2581], [0xE9]], [[0x2581], [0x65, 0x301]]])
  }
}
