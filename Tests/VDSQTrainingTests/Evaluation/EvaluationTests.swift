import TestSupport
import Testing
import VDSQKernels
import VDSQSemantics

import VDSQTraining

/// Figures against what scikit-learn 1.9 and a table of Student's t say.
@Suite struct EvaluationTests {
  private let kernels = KernelTable.available()[0]

  /// A classifier of unit vectors by three axes, at a temperature that spreads its probabilities.
  private func classifier() throws -> Classifier {
    let labels = LabelSet(
      names: ["a", "b", "c"], dimensions: 3, anchors: [1, 0, 0, 0, 1, 0, 0, 0, 1])
    return try Classifier(labels: labels, temperature: 1, kernels: kernels)
  }

  /// `sklearn.metrics`: accuracy_score, f1_score(average="macro") and confusion_matrix of
  /// [0, 0, 0, 1, 1, 2, 2, 2, 2, 1] and [0, 0, 1, 1, 1, 2, 0, 2, 1, 2].
  @Test func metricsAreTheReferences() throws {
    let targets = [0, 0, 0, 1, 1, 2, 2, 2, 2, 1]
    let answers = [0, 0, 1, 1, 1, 2, 0, 2, 1, 2]
    // A column more than the classifier reads.
    let states = answers.flatMap { answer in (0..<4).map { $0 == answer ? Float(1) : 0 } }
    let evaluation = Evaluation(
      of: try classifier(), features: FeatureMatrix(states, columns: 4), targets: targets)
    #expect(evaluation.confusion == [2, 1, 0, 0, 2, 1, 1, 1, 2])
    #expect((evaluation.accuracy - 0.6).magnitude < 1e-12)
    #expect((evaluation.macroF1 - 0.6031746031746033).magnitude < 1e-12)
    // All answers are as probable: e / (e + 2), of which six in ten are right.
    #expect((evaluation.calibrationError - 0.023882926).magnitude < 1e-6)
  }

  @Test func spreadsOverSeeds() {
    let spread = Spread([0.5, 0.6, 0.7, 0.6, 0.65])
    #expect((spread.mean - 0.61).magnitude < 1e-12)
    #expect((spread.deviation - 0.0741619848709566).magnitude < 1e-12)
    // scipy.stats.t.interval(0.95, 4, 0.61, sem)
    #expect((spread.margin - 0.0920849).magnitude < 1e-4)
    // An accuracy has a range.
    #expect(
      Spread([0.9, 1]).interval.upperBound == 1 && Spread([0, 0.1]).interval.lowerBound == 0)
    #expect(abs(spread.interval.upperBound - spread.mean - spread.margin) < 1e-12)
    #expect(Spread([0.3]).margin == 0 && Spread([0.3]).deviation == 0)
  }

  @Test func shotsAreDrawnBySeed() {
    let targets = (0..<60).map { $0 % 3 } + [3, 3]
    func draw(_ count: Int, _ seed: UInt64) -> [Int] {
      FewShotSample(targets, labels: 4, count: count, seed: seed).members
    }
    for count in [1, 2, 5, 20, 100] {
      let members = draw(count, 1)
      #expect(Set(members).count == members.count)
      for label in 0..<4 {
        let own = members.filter { targets[$0] == label }.count
        #expect(own == min(count, label == 3 ? 2 : 20))
      }
      #expect(members == draw(count, 1))
    }
    #expect(draw(5, 1) != draw(5, 2))
    #expect(Set(draw(2, 1)).isSubset(of: Set(draw(5, 1))))
  }
}
