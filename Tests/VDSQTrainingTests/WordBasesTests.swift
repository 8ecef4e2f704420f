import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

import VDSQTraining

@Suite struct WordBasesTests {
  /// Each word's cosine is that of the model's own vector of it; what follows the vector in a state does not count.
  @Test(arguments: [[], [IntermediateFeature(1)]])
  func wordsAreReadAsTexts(_ lower: [IntermediateFeature]) throws {
    let folder = try TemporaryFolder()
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    var options = TextEncoder.Options()
    options.intermediateFeatures = lower
    let encoder = try TextEncoder(path: folder.path("m.vdsq"), options: options)
    let plain = try TextEncoder(path: folder.path("m.vdsq"), options: .init())
    var shares: [Double] = []
    let bases = try WordBases(encoder: encoder, cache: nil) { shares.append($0) }
    #expect(bases.tokens.count > 3 && shares.last == 1)
    let text = try plain.vector(of: "hello world")
    let cosines = bases.cosines(text)
    for (id, found) in zip(bases.tokens, cosines) {
      let word = String(decoding: encoder.token(id), as: UTF8.self)
      #expect(!word.contains("#") && !word.contains("["))
      #expect(abs(cosine(text, try plain.vector(of: word)) - found) < 0.01, "\(word)")
    }
    #expect(bases.cosines([Float](repeating: 0, count: text.count)).allSatisfy { $0 == 0 })
  }
}
