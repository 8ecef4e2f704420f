import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

import VDSQTraining

@Suite struct ExplainerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func encoder(_ fixture: String) throws -> TextEncoder {
    let path = folder.path("m.vdsq")
    _ = try Converter(folder: Fixtures.path(fixture), weights: .int8).write(
      to: path, replace: false, progress: Progress(total: 1) { _ in })
    return try TextEncoder(path: path, options: .init())
  }

  private func labels(_ encoder: TextEncoder) throws -> LabelSet {
    try LabelSet(Label.parse(list: "hello,world"), encoder: encoder, template: nil)
  }

  private func isSorted(_ leanings: [Explanation.Leaning]) -> Bool {
    let cosines = leanings.map(\.cosine)
    return cosines.count > 1 && cosines == cosines.sorted(by: >)
      && Set(leanings.map(\.token)).count > 1
  }

  @Test(arguments: ["bert-mean", "language-models/llama"])
  func withoutExamples(_ fixture: String) throws {
    let encoder = try encoder(fixture)
    let bases = try ExplanationBases(encoder: encoder)
    let classifier = try Classifier(labels: labels(encoder), kernels: encoder.kernels)
    let explainer = try Explainer(
      bases: bases, encoder: encoder, adapter: nil, classifier: classifier)
    let state = try encoder.vector(of: "hello")
    let explanation = explainer.explain(state)
    #expect(
      isSorted(explanation.text) && isSorted(explanation.label) && isSorted(explanation.shared))
    #expect(explanation.text.count == min(ExplanationBases.leaningCount, bases.count))
    #expect(explanation.change == nil && !explanation.hasAdapter)
    #expect(explanation.text[0].cosine == bases.cosines(state).max())
    // In common is at most what either has.
    #expect(
      explanation.shared[0].cosine <= min(explanation.text[0].cosine, explanation.label[0].cosine))

    let scores = classifier.scores(of: state, top: 2)
    #expect(explanation.labels.map(\.label) == scores.ranking.map { classifier.labels.names[$0] })
    #expect(explanation.best.probability == scores.probabilities[scores.best])
    #expect(abs(explanation.labels.reduce(0) { $0 + $1.probability } - 1) < 1e-5)
    for label in explanation.labels {
      // The words' anchors are brought to length 1 once more.
      #expect(abs(label.probabilityByWords - label.probability) < 1e-5)
    }
  }

  /// What examples changed is told for every kind of head.
  @Test func withExamples() throws {
    let encoder = try encoder("bert-mean")
    let bases = try ExplanationBases(encoder: encoder)
    let labels = try labels(encoder)
    let (d, kernels) = (labels.dimensions, encoder.kernels)
    let state = try encoder.vector(of: "hello")
    let pull = (0..<d).map { Float($0 % 3) - 1 }
    let head = LinearHead(weights: pull + pull.map { -$0 }, bias: [0, 0])
    let module = ResidualModule(
      rank: 1, down: [Float](repeating: 0, count: d), up: [Float](repeating: 0, count: d),
      offset: pull)
    let neighbors = NearestNeighborsHead(
      states: pull + [Float](repeating: 0, count: d), targets: [0, 1], count: 2, sharpness: 4)
    for head in [Head.linear(head), .residual(module), .nearestNeighbors(neighbors)] {
      let adapter = Adapter(labels: labels, head: head, modelIdentity: 0)
      let classifier = try Classifier(adapter: adapter, kernels: kernels)
      let explanation = try Explainer(
        bases: bases, encoder: encoder, adapter: adapter, classifier: classifier
      ).explain(state)
      let change = try #require(explanation.change)
      #expect(explanation.hasAdapter && isSorted(change.toward) && isSorted(change.away))
      guard let pulled = change.labels else {
        #expect(head.movesStates)
        #expect(change.toward[0].cosine == bases.cosines(pull).max())
        continue
      }
      #expect(pulled.toward == explanation.best.label && pulled.away != pulled.toward)
      // Away from the one label is toward the other.
      let sign: Float = pulled.toward == "hello" ? 1 : -1
      let cosines = bases.cosines(pull.map { sign * $0 })
      #expect(abs(change.toward[0].cosine - (cosines.max() ?? 0)) < 1e-4)
      #expect(abs(change.away[0].cosine + (cosines.min() ?? 0)) < 1e-4)
    }
  }

  @Test func aSingleLabelIsPulledNowhere() throws {
    let encoder = try encoder("bert-mean")
    let labels = try LabelSet([Label(name: "hello")], encoder: encoder, template: nil)
    let head = LinearHead(weights: [Float](repeating: 1, count: labels.dimensions), bias: [0])
    let adapter = Adapter(labels: labels, head: .linear(head), modelIdentity: 0)
    let explainer = try Explainer(
      bases: ExplanationBases(encoder: encoder), encoder: encoder, adapter: adapter,
      classifier: Classifier(adapter: adapter, kernels: encoder.kernels))
    let explanation = explainer.explain(try encoder.vector(of: "stop"))
    #expect(
      explanation.change == nil && explanation.hasAdapter && explanation.best.probability == 1)
  }
}
