import TestSupport
import Testing
import VDSQ

@Suite struct TextEmbedderTests {
  @Test(arguments: ["bert-mean", "language-models/llama", "language-models/bert"])
  func vectorsAreThoseOfTheEncoder(_ fixture: String) throws {
    let fixture = try ConvertedModel(fixture)
    let embedder = try TextEmbedder(model: fixture.model)
    let encoder = try TextEncoder(path: fixture.model.path, options: .init())
    let texts = ["hello world", "", "stop", String(repeating: "hello ", count: 30)]
    let vectors = try embedder.embed(texts)
    #expect(vectors.count == texts.count)
    for (text, vector) in zip(texts, vectors) {
      #expect(vector.count == embedder.dimensions)
      let wanted = try encoder.vector(of: text)
      let off = zip(vector, wanted).map { ($0 - $1).magnitude }.max() ?? 1
      #expect(off < 1e-5)
    }
    #expect(try embedder.embed(texts[2]).count == embedder.dimensions)
  }

  /// Classifiers and embedders of one model share its map.
  @Test func oneMapForAll() throws {
    let fixture = try ConvertedModel()
    let embedder = try TextEmbedder(model: fixture.model)
    let other = try TextEmbedder(model: fixture.model)
    try embedder.withEncoder { (a) throws(VDSQError) in
      try other.withEncoder { (b) throws(VDSQError) in #expect(a.container === b.container) }
    }
  }
}
