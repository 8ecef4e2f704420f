import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQSemantics

/// Divergence and perplexity, against the logits and states of transformers.
@Suite struct TokenFidelityTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func encoder(_ name: String, _ weights: Converter.Weights) throws -> TextEncoder {
    var options = Converter.Options(weights: weights)
    options.bases = nil
    let path = folder.path("\(weights).vdsq")
    let converter = try Converter(
      folder: Fixtures.path("language-models/\(name)"), options: options)
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    return try TextEncoder(path: path, options: .init())
  }

  private func fidelity(
    _ model: TextEncoder, _ reference: TextEncoder, _ text: String
  ) throws -> TokenFidelity {
    try #require(
      try Fidelity(model: model, reference: reference, texts: [text], progress: { _ in }).tokens)
  }

  private func logProbabilities(_ logits: [Double]) -> [Double] {
    let total = log(logits.reduce(0) { $0 + exp($1 - logits.max()!) }) + logits.max()!
    return logits.map { $0 - total }
  }

  /// The divergence at the mask is that of int8 logits from transformers'.
  @Test(arguments: ["bert", "roberta"]) func divergenceIsThatOfTransformersLogits(
    _ name: String
  ) throws {
    let model = try encoder(name, .int8), reference = try encoder(name, .fp32)
    let rows = try VocabularyRows(head: model)
    let logits = VocabularyLogits(rows: rows, encoder: model, capacity: 1)
    for golden in try LanguageGolden.read(name) {
      let found = try fidelity(model, reference, golden.text)
      #expect(found.predictions == 1)
      #expect(found.perplexity == nil)
      var scores = [Float](repeating: 0, count: rows.count)
      logits.find(
        try model.vector(of: golden.text), count: 1, temperature: 1, scores: &scores
      ) { _, _ in }
      let ours = logProbabilities(scores.map(Double.init))
      let theirs = logProbabilities(golden.logits.map(Double.init))
      let expected = zip(theirs, ours).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
      #expect((found.divergence - expected).magnitude < 1e-5 + 0.02 * expected)
    }
  }

  /// The reference's perplexity is that of transformers' states times the head.
  @Test(arguments: ["gpt2", "gpt-neox"]) func perplexityIsThatOfTransformersStates(
    _ name: String
  ) throws {
    let model = try encoder(name, .int8), reference = try encoder(name, .fp32)
    let d = reference.dimensions
    let isTied = reference.container.find("head.weight") == nil
    let head = try StoredRows(reference.container, isTied ? "embeddings.word" : "head.weight")
    var tested = 0
    for golden in try LanguageGolden.read(name) {
      guard let layers = golden.layers else { continue }
      let states = layers.suffix(golden.ids.count * d).map(Double.init)
      var loss = 0.0
      for (position, next) in golden.ids.dropFirst().enumerated() {
        var row: [Float] = []
        let logits = (0..<reference.vocabularySize).map { v in
          head.row(v, into: &row)
          return (0..<d).reduce(0.0) { $0 + states[position * d + $1] * Double(row[$1]) }
        }
        loss -= logProbabilities(logits)[Int(next)]
      }
      let found = try fidelity(model, reference, golden.text)
      #expect(found.predictions == golden.ids.count)
      let expected = exp(loss / Double(golden.ids.count - 1))
      let perplexity = try #require(found.perplexity)
      #expect((perplexity.reference / expected - 1).magnitude < 1e-3)
      #expect((perplexity.model / expected - 1).magnitude < 0.05)
      #expect(perplexity.model != perplexity.reference)
      tested += 1
    }
    #expect(tested > 0)
  }

  @Test func aModelAgreesWithItself() throws {
    let model = try encoder("llama", .fp32)
    let found = try fidelity(model, model, "hello world")
    #expect(found.sameShare == 1 && found.divergence < 1e-9)
    #expect(found.perplexity?.model == found.perplexity?.reference)
  }
}
