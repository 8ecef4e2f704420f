import TestSupport
import Testing
import VDSQInference
import VDSQKernels
import VDSQSemantics

@Suite struct CosineLogitsTests {
  private let d = 24

  private func labels(_ count: Int, _ random: inout Random) -> LabelSet {
    var anchors = random.floats(count * d)
    for i in 0..<count {
      let row = Array(anchors[i * d..<(i + 1) * d])
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for j in 0..<d { anchors[i * d + j] = row[j] / norm }
    }
    return LabelSet(names: (0..<count).map { "\($0)" }, dimensions: d, anchors: anchors)
  }

  /// Double precision, so that rounding does not hide differences.
  private func loss(_ state: [Double], _ labels: LabelSet, _ target: Int, _ tau: Double) -> Double {
    let norm = state.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let logits = (0..<labels.count).map { v in
      (0..<d).reduce(0.0) { $0 + state[$1] * Double(labels.anchors[v * d + $1]) } / norm / tau
    }
    let largest = logits.max()!
    let total = logits.reduce(0.0) { $0 + exponential($1 - largest) }
    return -(logits[target] - largest - logarithmOf(total))
  }

  @Test func gradientsMatchCentralDifferences() throws {
    var random = Random(1)
    for tau: Float in [0.05, 0.5, 1] {
      for count in [2, 5, 40] {
        let labels = labels(count, &random)
        let state = random.floats(d, in: -2...2)
        let classifier = try Classifier(
          labels: labels, temperature: tau, kernels: KernelTable.available()[0])
        let scores = classifier.scores(of: state, top: 1)
        let target = Int.random(in: 0..<count, using: &random)
        var gradient = [Float](repeating: 0, count: d)
        CosineLogits.gradient(
          state: state, labels: labels, cosines: scores.cosines,
          probabilities: scores.probabilities, target: target, temperature: tau, into: &gradient
        )
        let wide = state.map(Double.init)
        let numeric = (0..<d).map { j in
          let step = 1e-6
          var up = wide, down = wide
          up[j] += step
          down[j] -= step
          return (loss(up, labels, target, Double(tau)) - loss(down, labels, target, Double(tau)))
            / (2 * step)
        }
        let size = numeric.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let off = zip(gradient, numeric).reduce(0) {
          $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1)
        }
        .squareRoot()
        #expect(off <= 1e-4 * max(size, 1e-2), "tau \(tau), \(count) labels: \(off / size)")
      }
    }
  }

  @Test func rankingsAreInOrder() throws {
    var random = Random(2)
    let labels = labels(30, &random)
    let classifier = try Classifier(labels: labels, kernels: KernelTable.available()[0])
    let scores = classifier.scores(of: random.floats(d), top: 10)
    let p = scores.probabilities
    let sorted = p.indices.sorted { p[$0] > p[$1] }
    #expect(Array(scores.ranking[..<10]) == Array(sorted[..<10]))
    #expect(scores.ranking.sorted() == Array(0..<30))
    #expect((p.reduce(0, +) - 1).magnitude < 1e-5)
  }

  @Test func aStateOfZerosIsUndecided() throws {
    var random = Random(3)
    let classifier = try Classifier(labels: labels(4, &random), kernels: KernelTable.available()[0])
    let scores = classifier.scores(of: [Float](repeating: 0, count: d), top: 4)
    #expect(scores.probabilities.allSatisfy { ($0 - 0.25).magnitude < 1e-6 })
    #expect(scores.ranking == [0, 1, 2, 3])
  }
}
