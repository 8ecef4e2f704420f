import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

/// Examples that are learned behind a trained adapter.
@Suite struct OnlineCorrectionTests {
  private let kernels = KernelTable.available()[0]

  private struct Reference: Decodable {
    struct Head: Decodable { let weights, bias: [Float] }
    let weights, bias: [Float]
    let columns: Int
    let states: [[Float]]
    let targets: [Int]
    let learned: Head
  }

  private func reference() throws -> Reference {
    try JSONDecoder().decode(
      Reference.self,
      from: try Data(contentsOf: Fixtures.folder.appendingPathComponent("corrections.json")))
  }

  private func correction(_ reference: Reference) throws -> OnlineCorrection {
    let d = reference.states[0].count
    // Behind the columns that are corrected come some that are not.
    let labels = LabelSet(
      names: ["a", "b", "c"], dimensions: d,
      anchors: (0..<3 * d).map { $0 / d == $0 % d ? 1 : 0 })
    let head = LinearHead(weights: reference.weights, bias: reference.bias)
    return OnlineCorrection(
      Adapter(labels: labels, head: .linear(head), modelIdentity: 7),
      weights: CorrectedWeights(head, columns: reference.columns, dimensions: d),
      counts: [0, 0, 0], recent: [], kernels: kernels)
  }

  private func head(_ correction: OnlineCorrection) throws -> LinearHead {
    try #require(correction.corrected().linearHead)
  }

  private func isClose(_ a: [Float], _ b: [Float], _ tolerance: Float = 1e-4) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { ($0 - $1).magnitude < tolerance }
  }

  /// More examples than can be undone, so that some are folded in.
  @Test func weightsAreTheReferences() throws {
    let reference = try reference()
    var correction = try correction(reference)
    for (state, target) in zip(reference.states, reference.targets) {
      try correction.learn(state, target)
    }
    let head = try head(correction)
    #expect(isClose(head.weights, reference.learned.weights))
    #expect(isClose(head.bias, reference.learned.bias))
    #expect(correction.count == 20 && correction.undoableCount == 16)
    #expect(throws: VDSQError.self) { try correction.learn([Float](repeating: .nan, count: 8), 0) }
  }

  @Test func undoingLeavesWhatWasBefore() throws {
    let reference = try reference()
    var correction = try correction(reference)
    try correction.learn(reference.states[0], 1)
    let before = try head(correction)
    try correction.learn(reference.states[1], 2)
    #expect(try head(correction).weights != before.weights)
    #expect(correction.undo() == 2)
    #expect(try head(correction).weights == before.weights)
    #expect(correction.undo() == 1 && correction.undo() == nil)
    #expect(try head(correction).weights == reference.weights)
  }

  @Test func labelsAreAddedAndForgotten() throws {
    let reference = try reference()
    var correction = try correction(reference)
    try correction.learn(reference.states[0], 1)
    let new = LabelSet(names: ["d"], dimensions: 8, anchors: [0, 0, 0, 1, 0, 0, 0, 0])
    try correction.add(new)
    #expect(correction.labels.names == ["a", "b", "c", "d"])
    #expect(try head(correction).bias.count == 4)
    try correction.learn([0, 0, 0, 2, 0, 0, 0, 0], 3)
    try correction.forget(1)
    #expect(correction.labels.names == ["a", "c", "d"] && correction.count == 1)
    #expect(correction.recent.map(\.target) == [2])
    try correction.forget(0)
    try correction.forget(0)
    #expect(throws: VDSQError.self) { try correction.forget(0) }
  }

  /// Every method whose head is linear is continued, through its file; the others are refused.
  @Test(arguments: TrainingMethod.allCases)
  func adaptersOfEveryMethod(_ method: TrainingMethod) throws {
    let fixture = try TrainingFixture()
    var options = TrainingOptions()
    options.method = method
    let path = fixture.folder.path("a.vdsa")
    try FewShotTrainer.adapter(
      model: fixture.model, labels: fixture.labels, examples: fixture.examples, options: options
    ).write(to: path, replace: false)
    let encoder = try OnlineLearner.encoder(for: path, model: fixture.model, run: options.run)
    let learner = OnlineLearner(path: path, encoder: encoder)
    func learn(_ text: String, _ label: String) throws -> OnlineLearner.Outcome {
      try learner.learn(Examples.Example(text: text, label: label), context: "")
    }
    guard ![.calibration, .lowRank, .knn].contains(method) else {
      #expect { try learn("hello", "stop") } throws: {
        ($0 as? VDSQError)?.message.contains("learn continues") == true
      }
      return
    }
    let first = try learn("yes yes", "stop")
    #expect(first.count == 1 && first.label == "stop")
    // It is less sure of what it was told is wrong, and another learner reads what this one wrote.
    for _ in 0..<20 { _ = try learn("yes yes", "stop") }
    let again = try OnlineLearner(path: path, encoder: encoder).learn(
      Examples.Example(text: "yes yes", label: "stop"), context: "")
    #expect(again.count == 22)
    let before = first.predicted == "stop" ? first.probability : 1 - first.probability
    let after = again.predicted == "stop" ? again.probability : 1 - again.probability
    #expect(after > before, "\(method): \(before) to \(after)")
    #expect(try learner.undo() == "stop")
    #expect(learner.count == 21)
    // It is still an adapter of the model, with the features and updates of its training.
    let adapter = try Adapter(path: path, model: fixture.model.description)
    #expect((adapter.updates != nil) == (method == .finetune))
  }
}
