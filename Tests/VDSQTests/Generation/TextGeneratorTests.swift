import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQConversion

/// Greedy continuations against transformers (Tools/reference/make_generation.py).
@Suite struct TextGeneratorTests {
  private struct Golden: Decodable {
    struct Text: Decodable {
      let model: String
      let prompt: String
      let penalty: Float
      let ids: [Int32]
      let margin: Double
      let ends: Bool
    }

    let texts: [Text]

    static let all = try! JSONDecoder().decode(
      Golden.self, from: Fixtures.data("generation.json")
    ).texts
  }

  private static let names = Array(Set(Golden.all.map(\.model))).sorted()

  private func model(_ name: String, in folder: TemporaryFolder) throws -> Model {
    let path = folder.path("\(name).vdsq")
    _ = try Converter(folder: Fixtures.path("language-models/\(name)"), weights: .fp32).write(
      to: path, replace: false, progress: Progress(total: 1) { _ in })
    return try Model(path: path)
  }

  @Test(arguments: names) func greedyTextsAreTheReferences(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try model(name, in: folder)
    for (threads, policy) in [(1, nil), (2, MemoryPolicy.stream)] {
      var run = RunOptions()
      (run.threads, run.memoryPolicy, run.maximumTokens) = (threads, policy, 64)
      let generator = try TextGenerator(model: model, options: run)
      // Where two logits nearly agree, rounding may decide otherwise.
      for golden in Golden.all where golden.model == name && golden.margin > 0.004 {
        var options = GenerationOptions()
        options.maximumTokens = 24
        options.sampling.repetitionPenalty = golden.penalty
        let result = try generator.generate(golden.prompt, options: options)
        #expect(result.ids == golden.ids, "\(golden.prompt), \(golden.penalty)")
        #expect(result.finish == (golden.ends ? .end : .length))
        #expect(result.logProbability < 0)
      }
    }
  }

  /// The score of a generated text is that of `TextScorer`.
  @Test func logProbabilitiesAreTheScorers() throws {
    let folder = try TemporaryFolder()
    let model = try model("gpt2", in: folder)
    let generator = try TextGenerator(model: model)
    var options = GenerationOptions()
    (options.maximumTokens, options.sampling.temperature) = (1, 1.5)
    for seed in 0..<8 as Range<UInt64> {
      options.sampling.seed = seed
      let result = try generator.generate("hello world", options: options)
      guard result.finish == .length, let text = String(validating: result.bytes, as: UTF8.self)
      else { continue }
      let score = try TextScorer(model: model).score(text, after: "hello world")
      guard score.count == 1 else { continue }
      #expect(abs(score.logProbability - result.logProbability) < 1e-3)
    }
  }

  @Test func textsEndAtStops() throws {
    let folder = try TemporaryFolder()
    let generator = try TextGenerator(model: try model("qwen2", in: folder))
    var options = GenerationOptions()
    options.maximumTokens = 24
    let whole = try generator.generate("hello world", options: options)
    #expect(whole.finish == .length && whole.tokens == 24)
    // Stops of a part of a token, or of several.
    var tried = 0
    for start in 2..<whole.bytes.count - 4 where tried < 6 {
      let bytes = whole.bytes[start..<start + 1 + tried % 3]
      guard let stop = String(validating: bytes, as: UTF8.self),
        let first = whole.bytes.indices.first(where: {
          whole.bytes[$0...].starts(with: bytes)
        })
      else { continue }
      tried += 1
      options.stops = [stop, "never there"]
      var shown: [UInt8] = []
      let result = try generator.generate("hello world", options: options) {
        shown += Array($0.utf8)
        return true
      }
      #expect(result.finish == .stop && result.tokens <= 24)
      #expect(result.bytes == Array(whole.bytes[..<first]))
      #expect(String(decoding: shown, as: UTF8.self).hasSuffix(result.text.suffix(1)))
    }
    #expect(tried > 2)
    options.stops = []
    var parts = 0
    let cut = try generator.generate("hello world", options: options) { _ in
      parts += 1
      return parts < 3
    }
    #expect(cut.tokens < 24 && parts <= 4)
  }

  @Test func promptsNeedRoom() throws {
    let folder = try TemporaryFolder()
    let model = try model("gpt2", in: folder)
    var run = RunOptions()
    run.maximumTokens = 8
    let generator = try TextGenerator(model: model, options: run)
    let result = try generator.generate("hello world")
    #expect(result.promptTokens + result.tokens <= 9 && result.finish == .length)
    #expect(throws: VDSQError.self) {
      try generator.generate(String(repeating: "hello ", count: 20))
    }
    // The empty prompt is the token with which texts begin.
    #expect(try generator.generate("").promptTokens == 1)
    #expect(throws: VDSQError.self) {
      try TextGenerator(model: try ConvertedModel("bert-mean").model)
    }
  }
}
