import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQConversion
import VDSQInference
import VDSQStreams

/// Heads that models were trained with: scores are those of transformers' pipelines and of
/// sentence-transformers' CrossEncoder (Tools/reference/make_heads.py).
@Suite struct OwnHeadTests {
  private static let file = HeadFixture.file
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func model(
    _ head: HeadFixture, _ weights: Converter.Weights = .fp32
  ) throws -> Model {
    var options = Converter.Options(weights: weights)
    options.bases = nil
    _ = try Converter(folder: try head.write(in: folder), options: options).write(
      to: folder.path("m.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    return try Model(path: folder.path("m.vdsq"))
  }

  private func options(_ threads: Int = 1) -> TextClassifier.Options {
    var options = TextClassifier.Options()
    options.run.maximumTokens = 48
    options.run.threads = threads
    return options
  }

  /// The score of each label, in the order of the labels.
  private func scores(_ predictions: [Prediction]) -> [[Float]] {
    predictions.map { prediction in
      prediction.candidates.sorted { $0.index < $1.index }.map(\.probability)
    }
  }

  /// The largest difference; the labels of the highest scores are the same, unless two are alike.
  private func difference(_ ours: [[Float]], _ reference: [[Float]]) -> Float {
    guard ours.map(\.count) == reference.map(\.count) else { return .infinity }
    return zip(ours, reference).map { zip($0, $1).map { ($0 - $1).magnitude }.max()! }.max()!
  }

  private func best(_ scores: [[Float]]) -> [Int] {
    scores.map { row in row.firstIndex(of: row.max()!)! }
  }

  @Test(arguments: file.heads.filter { $0.texts != nil })
  func texts(_ head: HeadFixture) throws {
    let reference = try #require(head.texts)
    let classifier = try TextClassifier(model: try model(head), options: options())
    #expect(classifier.labels == head.labels)
    let ours = scores(try classifier.classify(Self.file.texts, top: 9))
    #expect(difference(ours, reference) < 5e-3 && best(ours) == best(reference))
  }

  /// Rounding to int8 moves single scores of these small random heads by up to 0.3, so the bars are
  /// the mean difference, 3% of the largest score, and the labels of nine tenths of the texts.
  @Test(arguments: file.heads.filter { $0.texts != nil })
  func integers(_ head: HeadFixture) throws {
    let reference = try #require(head.texts)
    let classifier = try TextClassifier(model: try model(head, .int8), options: options(2))
    let ours = scores(try classifier.classify(Self.file.texts, top: 9))
    let differences = zip(ours.joined(), reference.joined()).map { ($0 - $1).magnitude }
    let scale = max(1, reference.joined().map(\.magnitude).max()!)
    #expect(differences.reduce(0, +) / Float(differences.count) < 0.03 * scale)
    let same = zip(best(ours), best(reference)).filter { $0 == $1 }.count
    #expect(same * 10 >= reference.count * 9)
  }

  @Test(arguments: file.heads.filter { $0.pairs != nil })
  func pairs(_ head: HeadFixture) throws {
    let reference = try #require(head.pairs)
    let classifier = try TextClassifier(model: try model(head), options: options())
    let pairs = Self.file.pairs.map { (first: $0[0], second: $0[1]) }
    let predictions = try classifier.classify(pairs: pairs, top: 9)
    #expect(difference(scores(predictions), reference) < 1e-2)
    #expect(best(scores(predictions)) == best(reference))
    #expect(predictions.suffix(5).allSatisfy { $0.isTruncated && $0.tokens == 48 })
  }

  @Test(arguments: file.heads.filter { $0.zeroShot != nil }, [false, true])
  func hypotheses(_ head: HeadFixture, _ isMultiLabel: Bool) throws {
    let reference = try #require(isMultiLabel ? head.zeroShotMulti : head.zeroShot)
    var options = options()
    (options.usesEntailment, options.isMultiLabel) = (true, isMultiLabel)
    let classifier = try TextClassifier(
      model: try model(head), labels: Self.file.words.map { Label(name: $0) }, options: options)
    let ours = scores(try classifier.classify(Self.file.texts, top: 9))
    #expect(difference(ours, reference) < 1e-3 && best(ours) == best(reference))
    // A text with nothing to read has no label.
    #expect(try classifier.classify(" ").isBlank)
  }

  @Test(arguments: ["ranking", "ranking-identity"])
  func ranking(_ name: String) throws {
    let head = HeadFixture.named(name)
    var run = RunOptions()
    run.maximumTokens = 48
    let reranker = try Reranker(model: try model(head), options: run)
    for (place, query) in [1, 8].enumerated() {
      let reference = try #require(head.ranking)[place]
      let passages = Self.file.texts
      let ours = try reranker.scores(passages[query], passages)
      #expect(difference([ours], [reference]) < 1e-2)
      let ranked = try reranker.rank(passages[query], passages, top: 7)
      let sorted = ours.indices.sorted { (-ours[$0], $0) < (-ours[$1], $1) }
      #expect(ranked.map(\.index) == Array(sorted.prefix(7)))
      #expect(try reranker.rank(passages[query], passages).map(\.index) == sorted)
    }
  }

  /// A prompt precedes the first text of a pair, as in sentence-transformers' CrossEncoder.
  @Test func promptsOfPairs() throws {
    let head = HeadFixture.named("ranking")
    let path = try head.write(in: folder)
    let settings =
      #"{"model_type": "CrossEncoder", "prompts": {"query": "It was ", "#
      + #""other": "hello "}, "default_prompt_name": "query"}"#
    try Data(settings.utf8).write(
      to: URL(fileURLWithPath: "\(path)/config_sentence_transformers.json"))
    var conversion = Converter.Options(weights: .fp32)
    conversion.bases = nil
    _ = try Converter(folder: path, options: conversion).write(
      to: folder.path("prompted.vdsq"), replace: true, progress: Progress(total: 1) { _ in })
    func scores(_ prompt: String?, _ query: String) throws -> [Float] {
      var run = RunOptions()
      (run.maximumTokens, run.prompt) = (48, prompt)
      return try Reranker(model: try Model(path: folder.path("prompted.vdsq")), options: run)
        .scores(query, Self.file.texts)
    }
    let bare = try scores("document", "It was great")
    #expect(try scores(nil, "great") == bare)
    #expect(try scores("query", "great") == bare)
    #expect(try scores("other", "great") == scores("document", "hello great"))
    #expect(try scores("other", "great") != bare)
    #expect(throws: VDSQError.self) { _ = try scores("passage", "great") }
    var run = RunOptions()
    run.dimensions = 8
    let error = try #require(
      #expect(throws: VDSQError.self) {
        _ = try Reranker(model: try Model(path: folder.path("prompted.vdsq")), options: run)
      })
    #expect(error.setting == .dimensions)
  }

  @Test(arguments: file.heads.filter { $0.tags != nil }, EntityAggregation.allCases)
  func tags(_ head: HeadFixture, _ aggregation: EntityAggregation) throws {
    var run = RunOptions()
    run.maximumTokens = 48
    let tagger = try TextTagger(model: try model(head), options: run)
    #expect(tagger.labels == head.labels)
    var cases = Array(zip(Self.file.texts, try #require(head.tags?[aggregation.name])))
    if aggregation == .none { cases += zip(Self.file.spaced, try #require(head.spaced)) }
    for (text, expected) in cases {
      let ours = try tagger.tag(text, by: aggregation)
      #expect(ours.map(\.label) == expected.map(\.label), "\(text)")
      #expect(ours.map(\.characters) == expected.map(\.characters), "\(text)")
      for (own, other) in zip(ours, expected) {
        #expect((own.score - other.score).magnitude < 5e-3, "\(text)")
        let scalars = Array(text.unicodeScalars)[own.characters]
        let bytes = Array(text.utf8)[own.bytes]
        #expect(scalars.map { String($0) }.joined() == String(decoding: bytes, as: UTF8.self))
      }
    }
    #expect(try tagger.tag(" ").isEmpty)
  }

  /// What a head is not for is refused by name.
  @Test func refusals() throws {
    func message(_ body: () throws -> Void) throws -> String {
      try #require(#expect(throws: VDSQError.self) { try body() }).message
    }
    let classes = try model(HeadFixture.named("bert"))
    #expect(try message { _ = try Reranker(model: classes) }.contains("no cross-encoder"))
    var options = options()
    options.usesEntailment = true
    let labels = [Label(name: "a"), Label(name: "b")]
    #expect(
      try message { _ = try TextClassifier(model: classes, labels: labels, options: options) }
        .contains("entailment"))
    options.usesEntailment = false
    options.template = try Template("about {}")
    #expect(
      try message { _ = try TextClassifier(model: classes, options: options) }
        .contains("no label words"))
    let zero = try TextClassifier(model: classes, labels: labels, options: self.options())
    #expect(try message { _ = try zero.classify(pairs: [("a", "b")]) }.contains("pairs"))
    let values = try model(HeadFixture.named("regression"))
    options = self.options()
    options.temperature = 2
    #expect(
      try message { _ = try TextClassifier(model: values, options: options) }.contains("values"))
    let plain = try ConvertedModel()
    #expect(
      try message { _ = try TextClassifier(model: plain.model) }.contains("no classification head"))
  }

  /// The cut of pairs is that of Hugging Face's tokenizers.
  @Test func lengthsOfPairs() {
    for (a, b, room, cut) in [
      (3, 9, 8, (3, 5)), (9, 3, 8, (5, 3)), (9, 9, 7, (3, 4)), (9, 20, 8, (4, 4)),
      (20, 9, 7, (4, 3)), (0, 9, 4, (0, 4)), (5, 4, 9, (5, 4)),
    ] { #expect(TextEncoder.lengths(a, b, room: room) == cut, "\(a) \(b)") }
  }
}
