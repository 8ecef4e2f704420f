import Glibc
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

@Suite struct NearestNeighborsTests {
  private let d = 24
  private let kernels = KernelTable.available()[0]

  /// Examples around two opposite directions, of which only noise tells apart what is not there.
  private func examples(_ count: Int, seed: UInt64) -> (states: [Float], targets: [Int]) {
    var random = Random(seed)
    var states: [Float] = []
    for i in 0..<2 * count {
      for j in 0..<d {
        states.append(
          (j == 0 ? (i % 2 == 0 ? 1 : -1) : 0) + Float.random(in: -0.4...0.4, using: &random))
      }
    }
    return (states, (0..<2 * count).map { $0 % 2 })
  }

  private var labels: LabelSet {
    var anchors = [Float](repeating: 0, count: 2 * d)
    (anchors[0], anchors[d]) = (1, -1)
    return LabelSet(names: ["a", "b"], dimensions: d, anchors: anchors)
  }

  private func train(_ states: [Float], _ targets: [Int]) throws -> Adapter {
    try NearestNeighbors(kernels: kernels).train(
      TrainingSet(FeatureMatrix(states, columns: d), targets: targets, anchors: labels),
      modelIdentity: 7)
  }

  /// Votes are what sorting all cosines says, and probabilities sum to 1.
  @Test func votesAreThoseOfTheClosest() throws {
    let known = examples(30, seed: 1), test = examples(20, seed: 2)
    let adapter = try train(known.states, known.targets)
    guard case .nearestNeighbors(let neighbors) = adapter.head else {
      Issue.record("no neighbors")
      return
    }
    let classifier = try Classifier(adapter: adapter, kernels: kernels)
    for i in test.targets.indices {
      let state = Array(test.states[i * d..<(i + 1) * d])
      let scores = classifier.scores(of: state, top: 1)
      let cosines = known.targets.indices.map { k in
        (cosine(state, Array(known.states[k * d..<(k + 1) * d])), known.targets[k])
      }.sorted { $0.0 > $1.0 }.prefix(neighbors.count)
      var votes: [Double] = [0, 0]
      for (cosine, target) in cosines {
        votes[target] += exp(Double(neighbors.sharpness) * Double(cosine))
      }
      let wanted = 0.95 * votes[0] / (votes[0] + votes[1]) + 0.025
      #expect(abs(Double(scores.probabilities[0]) - wanted) < 1e-3)
      #expect(abs(scores.probabilities.reduce(0, +) - 1) < 1e-5)
    }
    let right = test.targets.indices.count { i in
      let scores = classifier.scores(of: Array(test.states[i * d..<(i + 1) * d]), top: 1)
      return scores.best == test.targets[i]
    }
    #expect(right >= 38)
  }

  /// One example decides alone, and none are refused.
  @Test func fewExamples() throws {
    let one = try train(Array(examples(1, seed: 1).states[..<d]), [0])
    let classifier = try Classifier(adapter: one, kernels: kernels)
    let scores = classifier.scores(of: [Float](repeating: 0, count: d), top: 1)
    #expect(scores.best == 0 && scores.probabilities[0] > 0.9)
    #expect { try train([], []) } throws: { ($0 as? VDSQError)?.category == .usage }
  }

  @Test func adapterFilesKeepThem() throws {
    let folder = try TemporaryFolder()
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    let model = try Container(path: folder.path("m.vdsq"), kind: .model)
    let known = examples(4, seed: 1)
    let scoped = LabelSet(names: ["a", "b"], dimensions: d, anchors: labels.anchors, outOfScope: 1)
    func adapter(_ targets: [Int]) -> Adapter {
      Adapter(
        labels: scoped,
        head: .nearestNeighbors(
          NearestNeighborsHead(states: known.states, targets: targets, count: 3, sharpness: 10)),
        modelIdentity: model.identity)
    }
    _ = try adapter(known.targets).write(to: folder.path("a.vdsa"), replace: false)
    let read = try Adapter(path: folder.path("a.vdsa"), model: model)
    guard case .nearestNeighbors(let neighbors) = read.head else {
      Issue.record("no neighbors")
      return
    }
    #expect(neighbors.states == known.states && neighbors.targets == known.targets)
    #expect(neighbors.count == 3 && neighbors.sharpness == 10)
    #expect(read.labels.outOfScopeName == "b")
    // A vote for a label that is not there.
    _ = try adapter([0, 1, 2, 0, 0, 0, 0, 0]).write(to: folder.path("b.vdsa"), replace: false)
    #expect { try Adapter(path: folder.path("b.vdsa"), model: model) } throws: {
      ($0 as? VDSQError)?.category == .badInput
    }
  }
}
