import Foundation
import TestSupport
import Testing
import VDSQTraining

/// Figures against scikit-learn's and scipy's (`Tools/reference/make_evaluation.py`).
@Suite struct EvaluationReferenceTests {
  private struct Reference: Decodable {
    struct Report: Decodable {
      let targets, predicted, confusion, support: [Int]
      let labels: [[Double]?]
      let macro, weighted: [Double]
      let accuracy: Double
    }
    struct Share: Decodable {
      let right, count: Int
      let interval: [Double]
    }
    struct Pair: Decodable {
      let first, second, count: Int
      let interval: [Double]
      let p: Double
    }
    struct Resampled: Decodable {
      let first, second: [[Int]]
      let difference: Double
      let interval: [Double]
    }
    let reports: [Report]
    let shares: [Share]
    let pairs: [Pair]
    struct Several: Decodable {
      let has, given: [[Bool]]
      let exact: Double
      let labels: [[Double]]
      let micro, macro, weighted: [Double]
    }
    struct Calibrated: Decodable {
      let scores: [Float]
      let has: [Bool]
      let slope, offset, f1: Double
    }
    let resampled: Resampled
    let several: Several
    let calibrated: [Calibrated]
  }

  private let reference: Reference

  init() throws {
    reference = try JSONDecoder().decode(
      Reference.self,
      from: try Data(contentsOf: Fixtures.folder.appendingPathComponent("evaluation.json")))
  }

  private func evaluation(_ targets: [Int], _ predicted: [Int], labels: Int) -> Evaluation {
    Evaluation(
      answers: zip(targets, predicted).map {
        Evaluation.Answer(
          target: $0, predicted: $1, probability: 1, targetProbability: $0 == $1 ? 1 : 0)
      }, labels: labels)
  }

  private func isClose(
    _ scores: ClassificationReport.Scores?, _ expected: [Double]?
  ) -> Bool {
    guard let scores, let expected else { return scores == nil && expected == nil }
    return zip([scores.precision, scores.recall, scores.f1], expected).allSatisfy {
      ($0 - $1).magnitude < 1e-12
    }
  }

  @Test func classificationReports() {
    for expected in reference.reports {
      let found = evaluation(
        expected.targets, expected.predicted, labels: expected.labels.count)
      #expect(found.confusion == expected.confusion)
      #expect((found.accuracy - expected.accuracy).magnitude < 1e-12)
      let report = found.report
      #expect(report.support == expected.support)
      for (scores, other) in zip(report.labels, expected.labels) {
        #expect(isClose(scores, other))
      }
      #expect(isClose(report.macro, expected.macro))
      #expect(isClose(report.weighted, expected.weighted))
      #expect(found.macroF1 == report.macro.f1)
    }
  }

  @Test func severalLabels() {
    let expected = reference.several
    let found = MultiLabelEvaluation(
      names: expected.has.indices.map { "\($0)" }, has: expected.has, given: expected.given)
    #expect((found.subsetAccuracy - expected.exact).magnitude < 1e-12)
    #expect(found.interval.contains(found.subsetAccuracy))
    for (scores, other) in zip(found.report.labels, expected.labels) {
      #expect(isClose(scores, other))
    }
    #expect(isClose(found.micro, expected.micro))
    #expect(isClose(found.report.macro, expected.macro))
    #expect(isClose(found.report.weighted, expected.weighted))
  }

  @Test func sigmoidsAndThresholds() {
    for expected in reference.calibrated {
      let found = SigmoidCalibration(expected.scores, expected.has)
      #expect((found.slope - expected.slope).magnitude < 1e-3 * (1 + expected.slope.magnitude))
      #expect((found.offset - expected.offset).magnitude < 1e-3 * (1 + expected.offset.magnitude))
      let probabilities = expected.scores.map(found.probability)
      let threshold = F1Threshold.best(probabilities, expected.has)
      let given = probabilities.map { $0 >= threshold }
      let scores = MultiLabelEvaluation(names: ["a"], has: [expected.has], given: [given]).micro
      #expect((scores.f1 - expected.f1).magnitude < 1e-12)
    }
    // What says the opposite of what it should says nothing.
    #expect(SigmoidCalibration([1, 2, -1, -2], [false, false, true, true]).slope == 1e-3)
  }

  @Test func intervalsOfShares() {
    for expected in reference.shares {
      let interval = ScoreInterval.ofShare(expected.right, of: expected.count)
      #expect((interval.lowerBound - expected.interval[0]).magnitude < 1e-12)
      #expect((interval.upperBound - expected.interval[1]).magnitude < 1e-12)
    }
    #expect(ScoreInterval.ofShare(0, of: 0) == 0...1)
  }

  /// Evaluations of which the first or the second alone is right about some texts.
  private func pair(_ first: Int, _ second: Int, _ count: Int) -> PairedComparison? {
    let targets = [Int](repeating: 0, count: count)
    return PairedComparison(
      [evaluation(targets, (0..<count).map { $0 < second ? 1 : 0 }, labels: 2)],
      [evaluation(targets, (0..<count).map { $0 >= count - first ? 1 : 0 }, labels: 2)])
  }

  @Test func pairsOfOneDraw() throws {
    for expected in reference.pairs {
      let found = try #require(pair(expected.first, expected.second, expected.count))
      #expect(found.onlyFirst == expected.first && found.onlySecond == expected.second)
      #expect((found.interval.lowerBound - expected.interval[0]).magnitude < 1e-6)
      #expect((found.interval.upperBound - expected.interval[1]).magnitude < 1e-6)
      #expect((try #require(found.exactP) - expected.p).magnitude < 1e-9)
      #expect(found.method == .score)
      #expect(
        found.excludesZero == (expected.interval[0] > 0 || expected.interval[1] < 0))
    }
    // Two classifiers that agree on twenty texts may still differ.
    let same = try #require(pair(0, 0, 20))
    #expect(same.difference == 0 && same.interval.upperBound > 0.1 && same.exactP == 1)
    #expect(!same.excludesZero)
  }

  @Test func pairsOfSeveralDraws() throws {
    let expected = reference.resampled
    func evaluations(_ right: [[Int]]) -> [Evaluation] {
      right.map { evaluation([Int](repeating: 1, count: $0.count), $0, labels: 2) }
    }
    let (first, second) = (evaluations(expected.first), evaluations(expected.second))
    let found = try #require(PairedComparison(first, second))
    #expect(found.method == .bootstrap && found.exactP == nil)
    #expect((found.difference - expected.difference).magnitude < 1e-12)
    // Percentiles of 2,000 resamples against those of 50,000.
    #expect((found.interval.lowerBound - expected.interval[0]).magnitude < 0.012)
    #expect((found.interval.upperBound - expected.interval[1]).magnitude < 0.012)
    #expect(found == PairedComparison(first, second), "the same resamples")
    let reversed = try #require(PairedComparison(second, first))
    #expect(reversed.difference == -found.difference)
    // One evaluation is compared with each of several; others must be as many.
    #expect(PairedComparison(first, [second[0]])?.method == .bootstrap)
    #expect(PairedComparison(first, Array(second.prefix(2))) == nil)
    #expect(PairedComparison(first, [evaluation([0], [0], labels: 2)]) == nil)
  }
}
