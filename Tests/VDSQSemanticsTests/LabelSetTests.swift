import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

@Suite struct LabelSetTests {
  private func encoder(in folder: TemporaryFolder) throws -> TextEncoder {
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    return try TextEncoder(path: folder.path("m.vdsq"), options: .init())
  }

  private func unit(_ x: [Float]) -> [Float] {
    let norm = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return x.map { $0 / norm }
  }

  private func expectClose(_ a: [Float], _ b: ArraySlice<Float>) {
    for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-5) }
  }

  /// Without a template, a word is encoded alone and in two sentences; with `{}` it is encoded
  /// alone.
  @Test func wordsAreReadInSentences() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(in: folder)
    let d = encoder.dimensions
    let words = ["hello", "world stop"]
    let labels = [Label(name: "a", words: words), Label(name: "stop")]
    func mean(_ texts: [String]) throws -> [Float] {
      var sum = [Float](repeating: 0, count: d)
      for text in texts {
        for (j, x) in unit(try encoder.vector(of: text)).enumerated() { sum[j] += x }
      }
      return unit(sum)
    }
    let usual = try LabelSet(labels, encoder: encoder, template: nil)
    let sentences = words.flatMap { [$0, "This is about \($0).", "This text is about \($0)."] }
    expectClose(try mean(sentences), usual.anchors[..<d])
    let bare = try LabelSet(labels, encoder: encoder, template: try Template("{}"))
    expectClose(try mean(words), bare.anchors[..<d])
    expectClose(try mean(["stop"]), bare.anchors[d...])
  }

  /// The anchor of the out-of-scope label is the mean of the others, and no text is closest to it.
  @Test func outOfScopeHasNoWords() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(in: folder)
    let d = encoder.dimensions
    let labels = try LabelSet(
      [Label(name: "hello"), .outOfScope("none"), Label(name: "stop")], encoder: encoder,
      template: nil)
    #expect(labels.outOfScope == 1 && labels.outOfScopeName == "none")
    for set in [labels, labels.prefix(d / 2)] {
      let d = set.dimensions
      let middle = (0..<d).map { (set.anchors[$0] + set.anchors[2 * d + $0]) / 2 }
      expectClose(middle, set.anchors[d..<2 * d])
    }
    let classifier = try Classifier(labels: labels, kernels: encoder.kernels)
    for text in ["hello", "stop", "none", "a café, twelve 12!"] {
      let scores = classifier.scores(of: try encoder.vector(of: text), top: 1)
      #expect(scores.best != 1)
    }
    #expect {
      try LabelSet([.outOfScope("none")], encoder: encoder, template: nil)
    } throws: { ($0 as? VDSQError)?.category == .usage }
  }
}
