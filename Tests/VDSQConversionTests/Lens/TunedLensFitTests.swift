import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Translators against numpy's regression over the states of transformers
/// (Tools/reference/make_tuned_lens.py).
@Suite struct TunedLensFitTests {
  private struct Golden: Decodable {
    struct Layer: Decodable {
      let lambda, before, after: Double
      /// `[tokens][dimensions]`.
      let translated: [[Float]]
    }
    let texts: [String]
    let layers: [Layer]
  }

  private func encoder(_ name: String, _ folder: TemporaryFolder) throws -> TextEncoder {
    let path = folder.path("\(name.split(separator: "/").last!).vdsq")
    _ = try Converter(folder: Fixtures.path(name), weights: .fp32).write(
      to: path, replace: true, progress: Progress(total: 1) { _ in })
    return try TextEncoder(path: path, options: .init())
  }

  @Test func translatorsAreTheReferences() throws {
    let folder = try TemporaryFolder()
    let golden = try Fixtures.json("language-models/tuned-lens.json", as: Golden.self)
    let encoder = try encoder("language-models/llama", folder)
    let fit = try TunedLensFit(encoder, texts: golden.texts, layersAtATime: 2)
    var shares: [Double] = []
    let (layers, tokens, _) = try fit.write(to: folder.path("l.vdsl"), replace: false) {
      shares.append($0)
    }
    #expect(layers.count == golden.layers.count && tokens > 200)
    #expect(shares.last == 1 && zip(shares, shares.dropFirst()).allSatisfy { $0 <= $1 })
    for (found, expected) in zip(layers, golden.layers) {
      #expect(found.lambda == expected.lambda)
      #expect(abs(found.before - expected.before) < 1e-3 * expected.before)
      #expect(abs(found.after - expected.after) < 1e-2 * expected.after)
    }
    let lens = try TunedLens(path: folder.path("l.vdsl"), for: encoder)
    // States as `trace` leaves them are normalized, and so are the expected ones.
    let trace = try Array("hello world".utf8).withBytes { (raw) throws(VDSQError) in
      try encoder.trace(raw) { layer, state, out in
        lens.translate(layer, state, encoder.kernels, into: out)
      }
    }
    let d = trace.dimensions
    for (layer, expected) in golden.layers.enumerated() {
      for (token, wanted) in expected.translated.enumerated() {
        let start = (layer * trace.ids.count + token) * d
        let scale = (wanted.reduce(0) { $0 + $1 * $1 } / Float(d)).squareRoot()
        let normed = try Self.normed(wanted.map { $0 / scale }, encoder)
        for (a, b) in zip(trace.states[start..<start + d], normed) {
          #expect((a - b).magnitude < 0.02 * max(1, b.magnitude), "layer \(layer)")
        }
      }
    }
  }

  /// A unit state times the gain of the final norm.
  private static func normed(_ state: [Float], _ encoder: TextEncoder) throws -> [Float] {
    let gain = try encoder.container.floats("final_norm.weight", shape: [state.count])
    return state.indices.map { state[$0] * gain[$0] }
  }

  /// The tuned view of the last layer is that of the logits.
  @Test func lastLayerStaysAsItIs() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("language-models/gpt2", folder)
    _ = try TunedLensFit(
      encoder, texts: ["hello world", "It was great.", "hello", "the capital"], layersAtATime: 1
    ).write(to: folder.path("l.vdsl"), replace: false) { _ in }
    var options = Lens.Options()
    options.tuned = try TunedLens(path: folder.path("l.vdsl"), for: encoder)
    let lens = try Array("hello world".utf8).withBytes { (raw) throws(VDSQError) in
      try Lens(raw, encoder: encoder, options: options)
    }
    #expect(lens.maps.map(\.view) == [.basis, .logit, .tuned])
    for (logit, tuned) in zip(lens.maps[1].cells.last!, lens.maps[2].cells.last!) {
      #expect(logit.top.map(\.id) == tuned.top.map(\.id))
    }
  }

  @Test func othersAreRefused() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder("language-models/gpt2", folder)
    func refuses(_ category: VDSQError.Category, _ body: () throws -> Void) {
      let error = #expect(throws: VDSQError.self) { try body() }
      #expect(error?.category == category)
    }
    refuses(.usage) { _ = try TunedLensFit(encoder, texts: ["hello"], layersAtATime: 1) }
    let sentences = try self.encoder("bert-mean", folder)
    refuses(.usage) { _ = try TunedLensFit(sentences, texts: ["hello", "world"], layersAtATime: 1) }
    _ = try TunedLensFit(encoder, texts: ["hello world", "It was great."], layersAtATime: 9).write(
      to: folder.path("l.vdsl"), replace: false
    ) { _ in }
    let other = try self.encoder("language-models/qwen2", folder)
    refuses(.badInput) { _ = try TunedLens(path: folder.path("l.vdsl"), for: other) }
    refuses(.badInput) {
      _ = try TunedLens(path: folder.path("gpt2.vdsq"), for: encoder)
    }
  }
}
