import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQTokenizers

/// Token ids compared with Hugging Face's tokenizers on generated adversarial texts.
@Suite struct TokenizerTests {
  @Test(arguments: ["uncased", "cased", "accents"])
  func idsAreTheReferences(_ name: String) throws {
    let json = try JSON(parsing: Array(Fixtures.data("tokenizers/\(name).json")), context: name)
    let section = try TokenizerConversion(json, path: name)
      .section(vocabularySize: 5000, lowercases: false)
    let golden = try Fixtures.json("tokenizers/\(name).golden.json", as: [Golden].self)
    try section.withUnsafeBytes { raw in
      let tokenizer = WordPieceTokenizer(
        vocabulary: try WordPieceVocabulary(section: raw, path: name))
      for example in golden {
        var ids: [Int32] = []
        let truncated = Array(example.text.utf8).withUnsafeBytes {
          tokenizer.encode($0, limit: 10_000, into: &ids)
        }
        #expect(ids == example.ids, "\(example.text.debugDescription)")
        #expect(!truncated)
        for limit in [2, 3, example.ids.count - 1, example.ids.count]
        where limit >= 2 && limit <= example.ids.count {
          var cut: [Int32] = []
          let truncated = Array(example.text.utf8).withUnsafeBytes {
            tokenizer.encode($0, limit: limit, into: &cut)
          }
          #expect(truncated == (limit < example.ids.count))
          #expect(cut == example.ids.prefix(limit - 1) + [example.ids.last!])
        }
      }
    }
  }

  /// A text in one piece, or in runs that end anywhere, gives the same ids.
  @Test func longTextsAreTokenizedInRuns() throws {
    let json = try JSON(parsing: Array(Fixtures.data("tokenizers/uncased.json")), context: "")
    let section = try TokenizerConversion(json, path: "")
      .section(vocabularySize: 5000, lowercases: false)
    try section.withUnsafeBytes { raw in
      let tokenizer = WordPieceTokenizer(
        vocabulary: try WordPieceVocabulary(section: raw, path: ""))
      func ids(_ text: String) -> [Int32] {
        var ids: [Int32] = []
        _ = Array(text.utf8).withUnsafeBytes { tokenizer.encode($0, limit: 1 << 20, into: &ids) }
        return ids
      }
      let one = ids("naïve 中文 e\u{302}\u{323} [MASK] hello").dropFirst().dropLast()
      for pad in [4080, 4090, 4095, 4096] {
        let spaces = String(repeating: " ", count: pad)
        #expect(ids(spaces + "naïve 中文 e\u{302}\u{323} [MASK] hello").dropFirst().dropLast() == one)
      }
    }
  }

  @Test func invalidUTF8IsReplacedAndCounted() {
    let cases: [([UInt8], [UInt32], Int)] = [
      ([0x41, 0xFF, 0x42], [0x41, 0xFFFD, 0x42], 1),
      ([0xE2, 0x82], [0xFFFD], 1),
      ([0xE2, 0x82, 0x41], [0xFFFD, 0x41], 1),
      ([0xC0, 0x80], [0xFFFD, 0xFFFD], 2),
      ([0xED, 0xA0, 0x80], [0xFFFD, 0xFFFD, 0xFFFD], 3),
      ([0xF4, 0x90, 0x80, 0x80], [0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD], 4),
      ([0xF0, 0x9F, 0x98, 0x80], [0x1F600], 0),
    ]
    for (bytes, scalars, replaced) in cases {
      bytes.withUnsafeBytes { raw in
        var decoder = UTF8Decoder(raw)
        var out: [UInt32] = []
        while let scalar = decoder.next() { out.append(scalar) }
        #expect(out == scalars)
        #expect(UTF8Decoder.replacements(in: raw) == replaced)
      }
    }
  }

  /// A section that is cut anywhere, or has any count changed, is refused or harmless.
  @Test func damagedSectionsAreRefused() throws {
    let json = try JSON(parsing: Array(Fixtures.data("tokenizers/uncased.json")), context: "")
    let section = try TokenizerConversion(json, path: "")
      .section(vocabularySize: 5000, lowercases: false)
    for length in stride(from: 0, to: section.count, by: 97) {
      _ = Array(section[..<length]).withUnsafeBytes { raw in
        #expect(throws: VDSQError.self) { try WordPieceVocabulary(section: raw, path: "") }
      }
    }
    var random = Random(9)
    for _ in 0..<500 {
      var damaged = section
      let at = Int.random(in: 0..<min(section.count, 6000), using: &random)
      damaged[at] = UInt8.random(in: 0...255, using: &random)
      damaged.withUnsafeBytes { raw in
        guard let vocabulary = try? WordPieceVocabulary(section: raw, path: "") else { return }
        var ids: [Int32] = []
        let tokenizer = WordPieceTokenizer(vocabulary: vocabulary)
        _ = Array("hello wörld [MASK] 中".utf8).withUnsafeBytes {
          tokenizer.encode($0, limit: 64, into: &ids)
        }
        #expect(ids.allSatisfy { $0 >= 0 && $0 < vocabulary.count })
      }
    }
  }
}
