import TestSupport
import Testing
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

@Suite struct ClassStatisticsTests {
  private let kernels = KernelTable.available()[0]
  private let d = 37

  /// Blocks of rows, and one row after another (Welford): states that lie far from zero.
  @Test func bothWaysAgree() {
    let arithmetic = MatrixArithmetic(kernels: kernels)
    var random = Random(4)
    let states = random.floats(600 * d).map { $0 + 20 }
    let targets = (0..<600).map { $0 * $0 % 5 }
    let features = FeatureMatrix(states, columns: d)
    let members = (0..<600).filter { $0 % 7 != 0 }
    let whole = ClassStatistics(
      features, targets, members: members, labels: 6, hasScatter: true, arithmetic)
    var single = ClassStatistics(labels: 6, dimensions: d)
    for member in members { single.add(features[member], targets[member], kernels) }
    #expect(whole.counts == single.counts)
    #expect(relativeError(whole.sums, single.sums) < 1e-5)
    #expect((whole.meanSquare / single.meanSquare - 1).magnitude < 1e-5)
    let lower = (0..<d * d).filter { $0 % d <= $0 / d }
    #expect(
      relativeError(lower.map { whole.scatter[$0] }, lower.map { single.scatter[$0] }) < 1e-4)
    // About other points: the scatter of the deviations from these.
    let points = random.floats(6 * d).map { $0 + 20 }
    var expected = [Double](repeating: 0, count: d * d)
    for member in members {
      let row = features[member]
      let x = (0..<d).map { Double(row[$0] - points[targets[member] * d + $0]) }
      for i in 0..<d { for j in 0...i { expected[i * d + j] += x[i] * x[j] } }
    }
    let covariance = whole.covariance(about: points, arithmetic)
    #expect(
      relativeError(
        lower.map { covariance[$0] },
        lower.map { Float(expected[$0] / Double(members.count)) }) < 1e-4)
    let trace = (0..<d).reduce(0) { $0 + covariance[$1 * (d + 1)] }
    #expect((whole.trace(about: points) / trace - 1).magnitude < 1e-4)
  }
}
