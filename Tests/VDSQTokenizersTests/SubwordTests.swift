import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQStreams
import VDSQTokenizers

/// Byte-pair and unigram tokenizers, on files that Hugging Face's tokenizers saved.
@Suite struct SubwordTests {
  private static let names = [
    "bpe-gpt2", "bpe-llama3", "bpe-o200k", "bpe-qwen", "bpe-sentencepiece", "bpe-metaspace",
    "unigram", "unigram-normalized",
  ]

  private func section(_ name: String) throws -> [UInt8] {
    let json = try JSON(parsing: Array(Fixtures.data("tokenizers/\(name).json")), context: "")
    return try TokenizerConversion(json, path: name).section(
      vocabularySize: 5000, lowercases: false)
  }

  private func ids(
    _ text: String, _ tokenizer: Tokenizer, limit: Int = 100_000, framed: Bool = true
  ) -> (ids: [Int32], cut: Bool) {
    var ids: [Int32] = []
    let cut = Array(text.utf8).withUnsafeBytes {
      tokenizer.encode($0, limit: limit, framed: framed, into: &ids)
    }
    return (ids, cut)
  }

  @Test(arguments: names)
  func idsAreTheReferences(_ name: String) throws {
    let golden = try Fixtures.json("tokenizers/\(name).golden.json", as: [Golden].self)
    try section(name).withUnsafeBytes { raw in
      let tokenizer = try Tokenizer(section: raw, path: name)
      for example in golden {
        #expect(ids(example.text, tokenizer).ids == example.ids, "\(example.text.debugDescription)")
      }
      #expect(golden.count >= 100)
    }
  }

  /// A limit truncates the ids and reports it; nothing else changes.
  @Test(arguments: names)
  func limitsCut(_ name: String) throws {
    let golden = try Fixtures.json("tokenizers/\(name).golden.json", as: [Golden].self)
    try section(name).withUnsafeBytes { raw in
      let tokenizer = try Tokenizer(section: raw, path: name)
      for example in golden.prefix(40) {
        let whole = ids(example.text, tokenizer, framed: false).ids
        for limit in [0, 1, 3, whole.count] {
          let (some, cut) = ids(example.text, tokenizer, limit: limit, framed: false)
          #expect(some == Array(whole.prefix(limit)))
          #expect(cut == (whole.count > limit))
        }
      }
    }
  }

  /// A section that is cut anywhere, or has any byte changed, is refused or harmless.
  @Test(arguments: names)
  func damagedSectionsAreRefused(_ name: String) throws {
    let section = try section(name)
    for length in stride(from: 0, to: section.count, by: 211) {
      _ = Array(section[..<length]).withUnsafeBytes { raw in
        #expect(throws: VDSQError.self) { try Tokenizer(section: raw, path: "") }
      }
    }
    var random = Random(9)
    for round in 0..<400 {
      var damaged = section
      let end = round % 2 == 0 ? 128 : section.count
      damaged[Int.random(in: 0..<min(section.count, end), using: &random)] =
        UInt8.random(in: 0...255, using: &random)
      damaged.withUnsafeBytes { raw in
        guard let tokenizer = try? Tokenizer(section: raw, path: "") else { return }
        let (ids, _) = ids("hello wörld <mask> 中 12345\n\t ３", tokenizer, limit: 64)
        #expect(ids.allSatisfy { $0 >= 0 && $0 < tokenizer.count })
        var text: [UInt8] = []
        for id in ids { tokenizer.appendText(of: id, to: &text) }
      }
    }
  }

  /// The texts of the tokens, concatenated, are the text.
  @Test(arguments: ["bpe-gpt2", "bpe-llama3", "bpe-sentencepiece"])
  func tokensTextsAreTheText(_ name: String) throws {
    try section(name).withUnsafeBytes { raw in
      let tokenizer = try Tokenizer(section: raw, path: name)
      for text in ["hello world", "naïve 中文 😀", "a  b\n\tc"] {
        var bytes: [UInt8] = []
        for id in ids(text, tokenizer, framed: false).ids {
          tokenizer.appendText(of: id, to: &bytes)
        }
        // SentencePiece puts a space before a text.
        let expected = name == "bpe-sentencepiece" ? " " + text : text
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
      }
    }
  }

  @Test(arguments: [
    #"(?<=a)b"#, #"(a|b"#, #"a)"#, "[a", "a**?", #"\p{Klingon}"#, #"(?<n>a)"#, #"\1"#,
    "[[:alpha:]]",
    "(a*)*", "a{2", "[z-a]", #"\"#, "(?>a)", "*",
  ])
  func patternsThatAreNotSupportedAreRefused(_ pattern: String) throws {
    let json = """
      {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []},
       "pre_tokenizer": {"type": "Split", "behavior": "Isolated", "invert": false,
         "pattern": {"Regex": \(JSONWriter.string { $0.write(pattern) })}}}
      """
    let parsed = try JSON(parsing: Array(json.utf8), context: "")
    #expect {
      try TokenizerConversion(parsed, path: "t.json").section(vocabularySize: 1, lowercases: false)
    } throws: {
      ($0 as? VDSQError)?.category == .badInput && ($0 as! VDSQError).message.contains("t.json")
    }
  }

  /// A pattern that backtracks exponentially on a hostile text gives up.
  @Test func hostilePatternsEnd() throws {
    let json = """
      {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []},
       "pre_tokenizer": {"type": "Split", "behavior": "Isolated", "invert": false,
         "pattern": {"Regex": "(?:a|aa)+b"}}}
      """
    let parsed = try JSON(parsing: Array(json.utf8), context: "")
    let section = try TokenizerConversion(parsed, path: "").section(
      vocabularySize: 1, lowercases: false)
    try section.withUnsafeBytes { raw in
      let tokenizer = try Tokenizer(section: raw, path: "")
      #expect(ids(String(repeating: "a", count: 60), tokenizer).ids.count == 60)
    }
  }
}
