import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

/// Bases other than those of the file, against the checkpoint's rows and a scalar cosine.
@Suite struct BasesChoiceTests {
  private func encoder(
    _ name: String, _ weights: Converter.Weights, _ folder: TemporaryFolder
  ) throws -> TextEncoder {
    _ = try Converter(folder: Fixtures.path(name), weights: weights).write(
      to: folder.path("m.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    return try TextEncoder(path: folder.path("m.vdsq"), options: .init())
  }

  /// The likeliest tokens by cosine to rows of the head, whose logits are the reference's, and whose
  /// lengths come from the checkpoint: l_v = z_v / (|h| |w_v|).
  @Test(arguments: [Converter.Weights.fp32, .fp16, .int8])
  func headRowsGiveCosines(_ weights: Converter.Weights) throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("language-models/llama", weights, folder)
    let rows = try VocabularyRows(.head, of: encoder.container, encoder.kernels)
    let head = try VocabularyRows(head: encoder)
    #expect(rows.areBases && !head.areBases && rows.temperature == nil)
    let golden = try LanguageGolden.read("llama")[0]
    let norm = golden.state.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let logits = VocabularyLogits(rows: rows, encoder: encoder, capacity: rows.count)
    var count = 0
    logits.find(golden.state, temperature: 1) { result in
      let id = Int(result.id)
      // |w_v| from the unit row: w_v . u_v.
      let unit = rows.unitRow(id, encoder.kernels)
      let product = zip(unit, golden.state).reduce(0) { $0 + $1.0 * $1.1 } / norm
      #expect((result.value - product).magnitude < (weights == .int8 ? 0.02 : 1e-3))
      #expect(abs(unit.reduce(0) { $0 + $1 * $1 } - 1) < 1e-3)
      // The signs of cosines are those of the reference's logits.
      if golden.logits[id].magnitude > 0.5 { #expect(result.value * golden.logits[id] > 0) }
      count += 1
    }
    #expect(count == rows.count)
  }

  @Test func methodsAreNamed() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("language-models/gpt2", .int8, folder)
    let file = encoder.container
    #expect(try BasesChoice(method: "balanced", of: file) == .own)
    #expect(try BasesChoice(method: "head", of: file) == .head)
    #expect(try BasesChoice(method: "embedding", of: file) == .embedding)
    let error = #expect(throws: VDSQError.self) { try BasesChoice(method: "pinv", of: file) }
    #expect(error?.category == .usage && error?.message.contains("balanced") == true)
    // The head is the embeddings, so both are the same.
    let own = try VocabularyRows(.head, of: file, encoder.kernels).unitRow(7, encoder.kernels)
    let input = try VocabularyRows(.embedding, of: file, encoder.kernels).unitRow(
      7, encoder.kernels)
    #expect(zip(own, input).allSatisfy { ($0 - $1).magnitude < 0.01 })
  }

  /// With a choice of bases, label words are anchors, which classify by cosines; sentence encoders
  /// have none, and reference texts have no meaning.
  @Test func labelsAreAnchors() throws {
    let folder = try TemporaryFolder()
    let labels = [Label(name: "great"), Label(name: "world")]
    let encoder = try encoder("language-models/llama", .fp32, folder)
    let set = try LabelSet(labels, encoder: encoder, template: nil, bases: .head)
    #expect(set.wordHead == nil)
    for (i, label) in labels.enumerated() {
      let ids = try encoder.tokenizer.tokens(ofWord: label.name, in: label)
      let rows = try VocabularyRows(.head, of: encoder.container, encoder.kernels)
      var sum = [Float](repeating: 0, count: set.dimensions)
      for id in ids {
        for (j, value) in rows.unitRow(Int(id), encoder.kernels).enumerated() { sum[j] += value }
      }
      let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for j in sum.indices {
        #expect((set.anchors[i * set.dimensions + j] - sum[j] / norm).magnitude < 1e-4)
      }
    }
    #expect(throws: VDSQError.self) {
      try LabelSet(labels, encoder: encoder, template: nil, bases: .head, reference: ["a"])
    }
    let sentences = try self.encoder("bert-mean", .int8, folder)
    let error = #expect(throws: VDSQError.self) {
      try LabelSet(labels, encoder: sentences, template: nil, bases: .head)
    }
    #expect(error?.setting == .bases)
  }
}
