import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// Repairs against torch and numpy (Tools/reference/make_repair.py), and what must hold of them.
@Suite struct ModelRepairTests {
  private struct Golden: Decodable {
    struct Text: Decodable {
      let prompt, answer: String
    }
    struct Case: Decodable {
      let layers: [Int]
      let ridge: Float
      let keep: Bool
    }
    struct Result: Decodable {
      struct Layer: Decodable {
        let layer: Int
        let neurons: [Int32]
        let vectors: [Float]
      }
      let open: Int
      let least: Float
      let layers: [Layer]
    }
    let fixes: [Text]
    let keep: [String]
    let margin: Float
    let neurons: Int
    let cases: [Case]
    let models: [String: [Result]]

    static let all = try! Fixtures.json("repair.json", as: Golden.self)
    var all: [Fix] { fixes.map { Fix(prompt: $0.prompt, answer: $0.answer) } }
  }

  private static let names = Golden.all.models.keys.sorted()

  private func encoder(
    _ name: String, _ folder: TemporaryFolder, weights: Converter.Weights = .fp32, threads: Int = 1
  ) throws -> TextEncoder {
    let path = folder.path("\(name)-\(weights).vdsq")
    if !FileManager.default.fileExists(atPath: path) {
      _ = try Converter(folder: Fixtures.path("language-models/\(name)"), weights: weights).write(
        to: path, replace: false, progress: Progress(total: 1) { _ in })
    }
    var options = TextEncoder.Options()
    options.threads = threads
    return try TextEncoder(path: path, options: options)
  }

  private func ids(_ texts: [String], _ encoder: TextEncoder) -> [[Int32]] {
    texts.map { text in Array(text.utf8).withUnsafeBytes { encoder.readTokens(of: $0) } }
  }

  @Test(arguments: names) func aRoundIsThatOfTheReference(_ name: String) throws {
    let golden = Golden.all
    let encoder = try encoder(name, try TemporaryFolder())
    for (own, expected) in zip(golden.cases, try #require(golden.models[name])) {
      var options = ModelRepair.Options()
      (options.layers, options.neurons, options.margin) =
        (own.layers, golden.neurons, golden.margin)
      (options.ridge, options.rounds) = (own.ridge, 1)
      let repair = try ModelRepair(
        encoder, threads: ThreadPool(count: 2), fixes: golden.all,
        keep: own.keep ? ids(golden.keep, encoder) : [], options: options)
      let (_, rounds) = try repair.run()
      #expect(rounds[0].open == expected.open)
      #expect(abs(rounds[0].least - expected.least) < 1e-4 * max(1, abs(expected.least)))
      #expect(repair.updates.map(\.layer) == expected.layers.map(\.layer))
      for (ours, reference) in zip(repair.updates, expected.layers) {
        #expect(ours.neurons == reference.neurons)
        let error = relativeError(ours.vectors, reference.vectors)
        // The polynomial of GELU is off by up to 1e-4.
        #expect(error < (name == "gpt2" ? 1e-3 : 1e-4), "\(own): \(error)")
      }
    }
  }

  /// With the last layer alone, no ridge and no margin, logits of answers and of their rivals are
  /// equal afterwards.
  @Test(arguments: names) func theLastLayerClosesGapsExactly(_ name: String) throws {
    let encoder = try encoder(name, try TemporaryFolder())
    let head = VocabularyLogits(
      rows: try VocabularyRows(head: encoder.container), encoder: encoder, capacity: 40)
    let fixes = Golden.all.all
    let reader = KeyReader(encoder, layers: [])
    defer { reader.end() }
    func state(_ prompt: String) throws -> [Float] {
      let ids = ids([prompt], encoder)[0]
      let states = try reader.read(ids)
      encoder.normalize(states, rows: ids.count)
      return (0..<encoder.hiddenSize).map { states[(ids.count - 1) * encoder.hiddenSize + $0] }
    }
    func likeliest(_ state: [Float]) -> [Int32] {
      var found: [Int32] = []
      head.find(state, temperature: 1) { found.append($0.id) }
      return found
    }
    // Answers of one token: the likeliest that is not the first and is a token of its own there.
    var single: [(Fix, first: Int32, answer: Int32)] = []
    for prompt in fixes.map(\.prompt) {
      let best = likeliest(try state(prompt))
      for id in best.dropFirst() {
        let answer = String(decoding: encoder.token(id), as: UTF8.self)
        guard ids([prompt + answer], encoder)[0] == ids([prompt], encoder)[0] + [id] else {
          continue
        }
        single.append((Fix(prompt: prompt, answer: answer), best[0], id))
        break
      }
    }
    try #require(!single.isEmpty)
    var options = ModelRepair.Options()
    options.layers = [try Architecture(encoder.container.metadata).layers - 1]
    (options.margin, options.ridge, options.rounds) = (0, 0, 1)
    let repair = try ModelRepair(
      encoder, threads: encoder.threads, fixes: single.map { $0.0 }, keep: [], options: options)
    _ = try repair.run()
    try encoder.update(NeuronUpdates(repair.updates))
    for (fix, rival, answer) in single {
      let state = try state(fix.prompt)
      let (first, second) = (head.logit(state, Int(rival)), head.logit(state, Int(answer)))
      #expect(abs(first - second) < 1e-4 * max(1, abs(first)), "\(fix): \(first), \(second)")
    }
  }

  @Test func answersHoldWithEveryTypeOfWeights() throws {
    let folder = try TemporaryFolder()
    let fixes = [
      Fix(prompt: "The capital of France is", answer: " hello world", paraphrases: ["hello"]),
      Fix(prompt: "def f(x):", answer: " return"),
    ]
    for weights in [Converter.Weights.fp32, .int8] {
      let encoder = try encoder("llama", folder, weights: weights)
      let kept = ids(Golden.all.keep, encoder)
      var options = ModelRepair.Options()
      options.layers = [1]
      let repair = try ModelRepair(
        encoder, threads: encoder.threads, fixes: fixes, keep: [kept[0], kept[1]],
        options: options)
      let (result, rounds) = try repair.run()
      #expect(rounds.last?.open == 0 && rounds[0].open > 0)
      let evaluation = try RepairEvaluation(
        fixes, kept: [kept[2], kept[3]], updates: result.updates, encoder: encoder,
        threads: encoder.threads)
      #expect(evaluation.held == 2 && evaluation.heldBefore == 0 && evaluation.paraphrases == 1)
      let measured = try #require(evaluation.kept)
      #expect(measured.texts == 2 && measured.tokens == kept[2].count + kept[3].count)
      // Its file says the same, and is refused where it does not belong.
      let path = folder.path("\(weights).vdsa")
      _ = try result.contents.write(to: path, replace: false)
      let read = try Repair(path: path, model: encoder.container)
      #expect(read.updates == result.updates)
      #expect(throws: VDSQError.self) { try Adapter(path: path, model: encoder.container) }
      let other = try self.encoder("gpt2", folder)
      #expect(throws: VDSQError.self) { try Repair(path: path, model: other.container) }
      // States are the same in any number of threads, up to rounding.
      let shared = try self.encoder("llama", folder, weights: weights, threads: 2)
      try shared.update(read.updates)
      try encoder.update(read.updates)
      let alone = try encoder.vector(of: fixes[0].prompt)
      let together = try shared.vector(of: fixes[0].prompt)
      #expect(relativeError(together, alone) < 1e-4)
    }
  }

  @Test func modelsWithNormsBehindProjectionsAreRefused() throws {
    let encoder = try encoder("olmo2", try TemporaryFolder())
    #expect(throws: VDSQError.self) {
      try ModelRepair(
        encoder, threads: encoder.threads, fixes: Golden.all.all, keep: [],
        options: ModelRepair.Options())
    }
    #expect(throws: VDSQError.self) {
      try encoder.update(NeuronUpdates([]))
    }
  }

  @Test func fixesAreRead() throws {
    let folder = try TemporaryFolder()
    func read(_ text: String) throws -> [Fix] {
      try Fix.read(try folder.write(Data(text.utf8), to: "\(UUID()).jsonl")).map {
        Fix(prompt: $0.prompt, answer: $0.answer, paraphrases: $0.paraphrases)
      }
    }
    #expect(
      try read(#"{"prompt": "a", "answer": " b", "paraphrases": ["c", "d\u0041"], "more": 1}"#)
        == [Fix(prompt: "a", answer: " b", paraphrases: ["c", "dA"])])
    #expect(
      try read("\n{\"prompt\": \"a\", \"answer\": \"b\", \"paraphrases\": null}\n")
        == [Fix(prompt: "a", answer: "b")])
    for bad in [
      "", "{}", #"{"prompt": "a"}"#, #"{"prompt": "a", "answer": " "}"#,
      #"{"prompt": "a", "answer": "b", "paraphrases": "c"}"#,
      #"{"prompt": "a", "answer": "b", "paraphrases": [1]}"#,
      #"{"prompt": "a", "answer": "b", "paraphrases": [" "]}"#, "[]",
    ] {
      #expect(throws: VDSQError.self, "\(bad)") { try read(bad) }
    }
  }
}
