import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQConversion

/// Log-likelihoods against transformers, by the conventions of lm-evaluation-harness
/// (Tools/reference/make_scores.py).
@Suite struct TextScorerTests {
  private struct Golden: Decodable {
    struct Text: Decodable {
      let length: Int
      let text: String
      let logprob: Double
      let tokens: Int
    }

    struct Pair: Decodable {
      let length: Int
      let context: String
      let continuation: String
      let logprob: Double
      let tokens: Int
      let greedy: Bool
      let each: [Double]
    }

    let texts: [Text]
    let pairs: [Pair]
    let words: Int
    let bytes: Int
    let word_perplexity: Double
    let byte_perplexity: Double
    let bits_per_byte: Double

    static let all = try! JSONDecoder().decode(
      [String: Golden].self, from: Fixtures.data("scores.json"))
  }

  private static let names = Golden.all.keys.sorted()

  private func scorer(
    _ name: String, in folder: TemporaryFolder, longest: Int, threads: Int = 1
  ) throws -> TextScorer {
    let path = folder.path("\(name).vdsq")
    if !FileManager.default.fileExists(atPath: path) {
      _ = try Converter(folder: Fixtures.path("language-models/\(name)"), weights: .fp32).write(
        to: path, replace: false, progress: Progress(total: 1) { _ in })
    }
    var options = RunOptions()
    (options.maximumTokens, options.threads) = (longest, threads)
    return try TextScorer(model: try Model(path: path), options: options)
  }

  /// The polynomial of GELU is off by up to 1e-4, which adds up over the tokens of a text.
  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-3 + 1e-5 * abs(b) }

  @Test(arguments: names) func textsAreScoredAsTheReference(_ name: String) throws {
    let folder = try TemporaryFolder()
    let golden = try #require(Golden.all[name])
    for length in Set(golden.texts.map(\.length)) {
      for threads in [1, 2] {
        let scorer = try scorer(name, in: folder, longest: length, threads: threads)
        var totals = ScoreTotals()
        for text in golden.texts where text.length == length {
          let score = try scorer.score(text.text)
          #expect(score.count == text.tokens)
          #expect(isClose(score.logProbability, text.logprob), "\(text.text): \(score)")
          totals.add(score, text: text.text)
        }
        guard length == golden.texts[0].length else { continue }
        #expect(totals.words == golden.words && totals.bytes == golden.bytes)
        #expect(abs(totals.bitsPerByte / golden.bits_per_byte - 1) < 1e-5)
        #expect(abs(totals.bytePerplexity / golden.byte_perplexity - 1) < 1e-4)
        #expect(abs(totals.wordPerplexity / golden.word_perplexity - 1) < 1e-4)
      }
    }
  }

  @Test(arguments: names) func continuationsAreScoredAsTheReference(_ name: String) throws {
    let folder = try TemporaryFolder()
    let golden = try #require(Golden.all[name])
    for length in Set(golden.pairs.map(\.length)) {
      let scorer = try scorer(name, in: folder, longest: length)
      for pair in golden.pairs where pair.length == length {
        let score = try scorer.score(pair.continuation, after: pair.context, keepsTokens: true)
        #expect(isClose(score.logProbability, pair.logprob), "\(pair): \(score)")
        #expect(score.count == pair.tokens && score.isGreedy == pair.greedy, "\(pair): \(score)")
        #expect(score.tokens.count == pair.each.count)
        for (token, expected) in zip(score.tokens, pair.each) {
          #expect(abs(token.logProbability - expected) < 1e-3)
        }
      }
    }
    #expect(golden.pairs.contains { !$0.greedy })
  }

  @Test func whatIsGreedyIsSaid() {
    #expect(Golden.all.values.contains { $0.pairs.contains { $0.greedy } })
  }

  /// Words are counted as Python's `re.split` does.
  @Test(arguments: [
    ("", 1), (" ", 2), ("a", 1), ("a b", 2), (" a  b\n", 4), ("a\u{A0}b\u{3000}c", 3),
    ("a\u{200B}b", 1), ("a\u{1C}b", 2),
  ])
  func wordsAreCounted(_ text: String, _ count: Int) {
    #expect(Array(text.utf8).withUnsafeBytes { ScoreTotals.words(in: $0) } == count)
  }

  @Test func onlyLanguageModelsScore() throws {
    for name in ["bert-mean", "language-models/bert"] {
      let fixture = try ConvertedModel(name)
      #expect(throws: VDSQError.self) { try TextScorer(model: fixture.model) }
    }
  }

  @Test func callersTakeTurns() async throws {
    let folder = try TemporaryFolder()
    let scorer = try scorer("qwen2", in: folder, longest: 96)
    let golden = try #require(Golden.all["qwen2"])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for pair in golden.pairs where pair.length == 96 {
        group.addTask {
          let score = try scorer.score(pair.continuation, after: pair.context)
          #expect(abs(score.logProbability - pair.logprob) < 1e-3)
        }
      }
      try await group.waitForAll()
    }
  }
}
