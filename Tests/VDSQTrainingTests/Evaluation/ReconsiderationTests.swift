import TestSupport
import Testing
import VDSQFormat
import VDSQKernels
import VDSQSemantics

import VDSQTraining

@Suite struct ReconsiderationTests {
  private let d = 16
  private let kernels = KernelTable.available()[0]
  private let labels: LabelSet

  init() {
    var random = Random(5)
    var anchors = random.floats(2 * d)
    for i in 0..<2 {
      let norm = anchors[i * d..<(i + 1) * d].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for j in 0..<d { anchors[i * d + j] /= norm }
    }
    labels = LabelSet(names: ["a", "b"], dimensions: d, anchors: anchors)
  }

  /// States about their labels' anchors, of which some are labelled wrongly.
  private func examples(_ count: Int, wrong: Set<Int>) -> Examples {
    var random = Random(9)
    var states: [Float] = [], targets: [Int] = []
    for i in 0..<count {
      let noise = random.floats(d, in: -0.15...0.15)
      for j in 0..<d { states.append(labels.anchors[i % 2 * d + j] + noise[j]) }
      targets.append(wrong.contains(i) ? 1 - i % 2 : i % 2)
    }
    return Examples(states: states, targets: targets)
  }

  private func heldOut(_ examples: Examples) throws -> [Reconsideration] {
    try Reconsideration.list(examples, labels: labels, kernels: kernels) {
      (chosen) throws(VDSQError) in
      try LabelPrior(kernels: kernels).train(
        states: chosen.states, targets: chosen.targets, labels: labels, modelIdentity: 7)
    }
  }

  @Test func wrongLabelsComeFirst() throws {
    let wrong: Set = [3, 10, 20]
    let items = try heldOut(examples(40, wrong: wrong))
    #expect(items.map(\.example).sorted() == Array(0..<40), "each example once")
    #expect(Set(items.prefix(3).map(\.example)) == wrong)
    for item in items.prefix(3) { #expect(item.probability == 1 && item.distance < 0) }
    #expect(items.last!.probability < 0.2)
  }

  @Test func fallsExponentiallyWithTheDistance() throws {
    let all = examples(20, wrong: [4])
    let classifier = try Classifier(labels: labels, kernels: kernels)
    let items = Reconsideration.list(all, columns: d, classifier: classifier)
    for (a, b) in zip(items, items.dropFirst()) { #expect(a.distance <= b.distance) }
    for item in items {
      let scores = all.states.withUnsafeBufferPointer {
        classifier.scores(of: $0.baseAddress! + item.example * d, top: 1)
      }
      let own = scores.probabilities[all.targets[item.example]]
      #expect((item.probability - min(1, (1 - own) / own)).magnitude < 1e-3)
      #expect(item.other == 1 - all.targets[item.example])
    }
  }

  @Test func aSingleExampleCannotBeHeldOut() {
    let one = Examples(states: examples(3, wrong: []).states, targets: [0, 1, 0])
    #expect { try heldOut(one) } throws: { ($0 as? VDSQError)?.category == .usage }
  }
}
