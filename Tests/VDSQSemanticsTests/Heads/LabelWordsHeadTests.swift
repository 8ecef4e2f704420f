import Glibc
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics
import VDSQTokenizers

/// Label words as weights, against the logits of transformers.
@Suite struct LabelWordsHeadTests {
  private let labels = [
    Label(name: "a", words: ["great", "France", "the"]), Label.outOfScope("none"),
    Label(name: "b", words: ["world", "was great"]),
  ]

  private func model(_ name: String, in folder: TemporaryFolder) throws -> TextEncoder {
    _ = try Converter(folder: Fixtures.path("language-models/\(name)"), weights: .fp32).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    return try TextEncoder(path: folder.path("m.vdsq"), options: .init())
  }

  private func scores(_ head: LabelWordsHead, _ state: [Float], _ kernels: KernelTable) -> [Float] {
    var scratch = [Float](repeating: 0, count: head.scratchCount)
    var out = [Float](repeating: 0, count: head.count)
    head.logits(state, kernels, scratch: &scratch, into: &out)
    return out
  }

  /// The logarithm of the mean exponential over a label's words, of which each has the mean logit of
  /// its tokens; with tied and untied heads, and with a bias (roberta).
  @Test(arguments: ["gpt2", "llama", "roberta"])
  func scoresAreTheReferencesLogits(_ name: String) throws {
    let folder = try TemporaryFolder()
    let encoder = try model(name, in: folder)
    let head = try LabelWordsHead(
      labels, head: VocabularyRows(head: encoder), tokenizer: encoder.tokenizer,
      kernels: encoder.kernels)
    for golden in try LanguageGolden.read(name) {
      func score(_ label: Label) throws -> Float {
        let words = try label.words.map { word in
          let ids = try encoder.tokenizer.tokens(ofWord: word, in: label)
          return ids.reduce(0) { $0 + golden.logits[Int($1)] } / Float(ids.count)
        }
        return logf(words.reduce(0) { $0 + expf($1) } / Float(words.count))
      }
      let expected = [try score(labels[0]), try score(labels[2])]
      let found = scores(head, golden.state, encoder.kernels)
      let size = golden.logits.map(\.magnitude).max()!
      #expect((found[0] - expected[0]).magnitude < 2e-3 * size, "\(golden.text)")
      #expect((found[2] - expected[1]).magnitude < 2e-3 * size, "\(golden.text)")
      #expect((found[1] - (found[0] + found[2]) / 2).magnitude < 1e-4 * size)
    }
  }

  /// Three quarters of the scores without a text are subtracted; with reference texts, of their mean
  /// state.
  @Test func referenceIsSubtracted() throws {
    let folder = try TemporaryFolder()
    let encoder = try model("gpt2", in: folder)
    let template = try Template("{text} is")
    let plain = try LabelWordsHead(
      labels, head: VocabularyRows(head: encoder), tokenizer: encoder.tokenizer,
      kernels: encoder.kernels)
    let state = try LanguageGolden.read("gpt2")[0].state
    func check(_ set: LabelSet, _ reference: [Float]) {
      let expected = zip(
        scores(plain, state, encoder.kernels), scores(plain, reference, encoder.kernels)
      ).map { $0 - 0.75 * $1 }
      let found = scores(set.wordHead!, state, encoder.kernels)
      for i in [0, 2] { #expect((found[i] - expected[i]).magnitude < 1e-3) }
    }
    check(
      try LabelSet(labels, encoder: encoder, template: template),
      try encoder.vector(of: " is"))
    let texts = ["hello world", "It was great."]
    let states = try texts.map { try encoder.vector(of: "\($0) is") }
    check(
      try LabelSet(labels, encoder: encoder, template: template, reference: texts),
      zip(states[0], states[1]).map { ($0 + $1) / 2 })
  }

  /// Models without bases classify too. Sentence encoders take no reference texts.
  @Test func basesAreNotNeeded() throws {
    let folder = try TemporaryFolder()
    var options = Converter.Options()
    options.bases = nil
    _ = try Converter(folder: Fixtures.path("language-models/gpt2"), options: options).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    let encoder = try TextEncoder(path: folder.path("m.vdsq"), options: .init())
    let set = try LabelSet(labels, encoder: encoder, template: nil)
    #expect(set.wordHead != nil && set.anchors.allSatisfy(\.isFinite))
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("s.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    let sentences = try TextEncoder(path: folder.path("s.vdsq"), options: .init())
    let error = #expect(throws: VDSQError.self) {
      try LabelSet(
        [Label(name: "hello"), Label(name: "stop")], encoder: sentences, template: nil,
        reference: ["go on"])
    }
    #expect(error?.category == .usage)
  }
}
