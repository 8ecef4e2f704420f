import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Constraints against Python's regular expressions (Tools/reference/make_patterns.py), over the
/// pieces of a tokenizer of bytes.
@Suite struct TextConstraintTests {
  private struct Golden: Decodable {
    struct Pattern: Decodable {
      let pattern: String
      let matches: [String]
    }

    struct Refused: Decodable {
      let pattern: String
      let reason: String
    }

    let texts: [String]
    let patterns: [Pattern]
    let refused: [Refused]

    static let all = try! JSONDecoder().decode(Golden.self, from: Fixtures.data("patterns.json"))
  }

  private let folder: TemporaryFolder
  private let encoder: TextEncoder

  init() throws {
    folder = try TemporaryFolder()
    let path = folder.path("m.vdsq")
    _ = try Converter(folder: Fixtures.path("language-models/gpt2"), weights: .int8).write(
      to: path, replace: false, progress: Progress(total: 1) { _ in })
    encoder = try TextEncoder(path: path, options: .init())
  }

  /// Whether the walk allows a token next.
  private func allows(_ walk: ConstraintWalk, _ id: Int32, ends: [Int32] = []) throws -> Bool {
    let count = encoder.tokenizer.count
    var logits = [Float](repeating: 0, count: count)
    try logits.withUnsafeMutableBufferPointer {
      try walk.mask($0.baseAddress!, count: count, ends: ends)
    }
    return logits[Int(id)] == 0
  }

  /// Whether a text matches, token by token, split into as many tokens as it has.
  private func matches(_ walk: ConstraintWalk, _ text: String) throws -> Bool {
    walk.begin()
    var ids: [Int32] = []
    _ = Array(text.utf8).withUnsafeBytes {
      encoder.tokenizer.encode($0, limit: 1000, framed: false, into: &ids)
    }
    for id in ids {
      guard try allows(walk, id) else { return false }
      try walk.advance(id)
    }
    return walk.isComplete
  }

  @Test(arguments: Golden.all.patterns.indices) func patternsMatchAsPythons(_ index: Int) throws {
    let golden = Golden.all.patterns[index]
    let walk = try ConstraintWalk(
      try TextConstraint(pattern: golden.pattern), encoder.tokenizer)
    for text in Golden.all.texts {
      let expected = golden.matches.contains(text)
      #expect(try matches(walk, text) == expected, "\(golden.pattern) and \(text)")
    }
  }

  @Test(arguments: Golden.all.refused.indices) func othersAreRefusedByName(_ index: Int) throws {
    let golden = Golden.all.refused[index]
    do throws(VDSQError) {
      _ = try TextConstraint(pattern: golden.pattern)
      Issue.record("\(golden.pattern) is not refused")
    } catch {
      #expect(error.category == .usage && error.message.contains(golden.reason), "\(error)")
    }
  }

  /// Every scalar of a range, and none beside it, has a way.
  @Test(arguments: [
    0x7E...0x81 as ClosedRange<UInt32>, 0x7F0...0x1010, 0xD000...0xE100, 0xFFF0...0x10010,
    0x3F...0x10FFFF, 0xAC...0xAC,
  ])
  func rangesOfScalars(_ range: ClosedRange<UInt32>) throws {
    func escaped(_ scalar: UInt32) -> String { String(Character(Unicode.Scalar(scalar)!)) }
    let walk = try ConstraintWalk(
      try TextConstraint(
        pattern: "[\(escaped(range.lowerBound))-\(escaped(range.upperBound))]"),
      encoder.tokenizer)
    let near = [range.lowerBound, range.upperBound].flatMap { bound in
      (-3...3).map { UInt32(max(0, min(0x10FFFF, Int(bound) + $0))) }
    }
    for scalar in Set(near + [0x41, 0x7FF, 0x800, 0xFFFF, 0x10000]) {
      guard let text = Unicode.Scalar(scalar).map({ String(Character($0)) }) else { continue }
      #expect(try matches(walk, text) == range.contains(scalar), "\(scalar)")
    }
  }

  @Test func choicesAndEnds() throws {
    let walk = try ConstraintWalk(
      try TextConstraint(choices: ["yes", "yesterday", "no"]), encoder.tokenizer)
    for text in ["yes", "no", "yesterday"] { #expect(try matches(walk, text)) }
    for text in ["", "ye", "yesno", "maybe", "nope"] { #expect(try !matches(walk, text)) }
    // An end can follow where the text matches.
    let end: Int32 = 0
    walk.begin()
    #expect(try !allows(walk, end, ends: [end]))
    #expect(try matches(walk, "yes"))
    #expect(try walk.canGoOn && allows(walk, end, ends: [end]) && !allows(walk, end))
    #expect(try matches(walk, "no"))
    #expect(!walk.canGoOn)
    #expect(throws: VDSQError.self) { try TextConstraint(choices: []) }
    #expect(throws: VDSQError.self) { try TextConstraint(choices: ["a", ""]) }
  }

  /// Texts of special tokens are no text.
  @Test func specialTokensAreLeftOut() throws {
    let walk = try ConstraintWalk(try TextConstraint(pattern: "(.|\n)*"), encoder.tokenizer)
    walk.begin()
    for id in 0..<Int32(encoder.tokenizer.count) {
      let isText = !encoder.tokenizer.addedTokens.contains(id)
      let isCharacter = encoder.token(id).withUnsafeBytes { UTF8Decoder.replacements(in: $0) } == 0
      if isCharacter { #expect(try allows(walk, id) == isText) }
    }
  }

  /// A long text does not take more and more memory, and stays right.
  @Test func manyStatesAreForgotten() throws {
    let walk = try ConstraintWalk(
      try TextConstraint(pattern: "(a|b){900}"), encoder.tokenizer)
    walk.begin()
    let ids = ["a", "b"].map { encoder.tokenizer.token(Array($0.utf8))! }
    for i in 0..<900 {
      #expect(!walk.isComplete)
      let id = ids[i % 2]
      let isAllowed = i % 100 > 0 ? true : try allows(walk, id)
      guard isAllowed else {
        Issue.record("\(i) is refused")
        return
      }
      if i % 3 == 0 { _ = try allows(walk, id) }
      try walk.advance(id)
    }
    #expect(walk.isComplete && !walk.canGoOn)
  }
}
