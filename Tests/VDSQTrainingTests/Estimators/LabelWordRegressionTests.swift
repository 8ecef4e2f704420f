import TestSupport
import Testing
import VDSQKernels
import VDSQSemantics

import VDSQTraining

/// Heads against scipy's solution (Tools/reference/make_label_words.py), and label words that
/// mislead.
@Suite struct LabelWordRegressionTests {
  private struct Golden: Decodable {
    struct Candidate: Decodable {
      let trust: Float, state: Float, words: Float
      let probabilities: [[Float]]
    }
    let words: [[Float]]
    let states: [[Float]]
    let targets: [Int]
    let reference: [Float]
    let candidates: [Candidate]
  }

  private let kernels = KernelTable.available()[0]
  private var arithmetic: MatrixArithmetic { MatrixArithmetic(kernels: kernels) }

  private func set(_ states: [[Float]], _ targets: [Int], labels: Int) -> TrainingSet {
    let d = states[0].count
    return TrainingSet(
      FeatureMatrix(states.flatMap { $0 }, columns: d), targets: targets,
      anchors: LabelSet(
        names: (0..<labels).map { "\($0)" }, dimensions: d,
        anchors: [Float](repeating: 1, count: labels * d)))
  }

  /// Rows without their mean.
  private func centred(_ rows: [[Float]]) -> [Float] {
    let mean = rows[0].indices.map { j in rows.reduce(0) { $0 + $1[j] } / Float(rows.count) }
    return rows.flatMap { row in zip(row, mean).map { $0 - $1 } }
  }

  private func probabilities(_ head: LinearHead, _ state: [Float]) -> [Float] {
    var logits = [Float](repeating: 0, count: head.bias.count)
    head.logits(state, kernels, into: &logits)
    CosineLogits.softmax(&logits, temperature: 1)
    return logits
  }

  @Test func headsAreTheReferences() throws {
    let golden = try Fixtures.json("label-words.json", as: Golden.self)
    let regression = LabelWordRegression(
      set(golden.states, golden.targets, labels: golden.words.count),
      words: centred(golden.words), reference: golden.reference,
      arithmetic: arithmetic)
    for expected in golden.candidates {
      let head = regression.head(
        .init(
          trust: expected.trust, stateVariance: expected.state, wordVariance: expected.words),
        Array(golden.targets.indices))
      for (state, reference) in zip(golden.states, expected.probabilities) {
        for (a, b) in zip(probabilities(head, state), reference) {
          #expect((a - b).magnitude < 0.01, "trust \(expected.trust)")
        }
      }
    }
  }

  /// Words that point to the other label are overruled by eight examples of each, and without
  /// examples of a label numbers stay finite.
  @Test func misleadingWordsAreOverruled() throws {
    var random = Random(3)
    let d = 24
    let words: [[Float]] = [random.floats(d, in: -1...1), random.floats(d, in: -1...1)]
    func draw(_ count: Int) -> (states: [[Float]], targets: [Int]) {
      let targets = (0..<count).map { $0 % 2 }
      var states: [[Float]] = []
      for target in targets {
        let noise = random.floats(d, in: -1...1)
        states.append(zip(words[1 - target], noise).map { 0.5 * $0 + $1 })
      }
      return (states, targets)
    }
    let train = draw(16), test = draw(200)
    let regression = LabelWordRegression(
      set(train.states, train.targets, labels: 2), words: centred(words), reference: [],
      arithmetic: arithmetic)
    let head = try regression.train(progress: ProgressSpan.silent)
    var right = 0
    for (state, target) in zip(test.states, test.targets) {
      let p = probabilities(head, state)
      if p[target] > p[1 - target] { right += 1 }
    }
    #expect(right > 170, "\(right) of 200")
    let single = regression.head(
      LabelWordRegression.Candidate(trust: 0.25, stateVariance: 1e-3, wordVariance: 0.1), [0])
    #expect((single.weights + single.bias).allSatisfy { $0.isFinite })
  }
}
