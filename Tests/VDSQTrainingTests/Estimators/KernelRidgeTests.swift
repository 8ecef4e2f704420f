import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

@Suite struct KernelRidgeTests {
  private let kernels = KernelTable.available()[0]
  private var arithmetic: MatrixArithmetic { MatrixArithmetic(kernels: kernels) }

  /// Votes of scikit-learn 1.9's KernelRidge(kernel="rbf", gamma=1, alpha) for the first three of
  /// 15 examples, scaled to length 1, of one-hot targets less their mean.
  @Test func votesAreTheReferences() throws {
    var states: [Float] = []
    for i in 0..<15 {
      for j in 0..<4 {
        let value = Float((i * 7 + j * 3) % 11) / 10 - 0.5
        states.append(i % 3 == j ? value + 0.4 : value)
      }
    }
    let labels = LabelSet(
      names: ["a", "b", "c"], dimensions: 4, anchors: [Float](repeating: 0.5, count: 12))
    let set = TrainingSet(
      FeatureMatrix(states, columns: 4), targets: (0..<15).map { $0 % 3 }, anchors: labels)
    let heads = try KernelRidge(set: set, arithmetic: arithmetic).train(
      Array(0..<15), penalties: [1, 0.1])
    let golden: [[[Float]]] = [
      [
        [0.20316, -0.24357, 0.04041], [-0.14861, 0.44050, -0.29190],
        [-0.28729, -0.10017, 0.38746],
      ],
      [
        [0.53209, -0.31546, -0.21663], [-0.25712, 0.59466, -0.33755],
        [-0.35102, -0.26385, 0.61487],
      ],
    ]
    for (head, expected) in zip(heads, golden) {
      #expect(head.count == 15)
      var closeness = [Float](repeating: 0, count: head.count)
      for (example, row) in expected.enumerated() {
        var votes = [Float](repeating: 0, count: 3)
        states.withUnsafeBufferPointer { states in
          votes.withUnsafeMutableBufferPointer {
            head.add(
              states.baseAddress! + example * 4, kernels, closeness: &closeness, to: $0)
          }
        }
        for (vote, reference) in zip(votes, row) { #expect((vote - reference).magnitude < 0.01) }
      }
    }
  }

  private static let d = 24
  private let labels: LabelSet = {
    var random = Random(5)
    return LabelSet(names: ["a", "b"], dimensions: d, anchors: random.floats(2 * d))
  }()

  /// Two rings about a point, which no plane parts.
  private func rings(_ count: Int, seed: UInt64) -> TrainingSet {
    var random = Random(seed)
    var states: [Float] = []
    for i in 0..<count {
      let angle = random.floats(1, in: 0...6.28)[0]
      let radius: Float = i % 2 == 0 ? 0.2 : 0.8
      states += random.floats(Self.d - 3, in: -0.05...0.05)
      states += [radius * cos(angle), radius * sin(angle), 1]
    }
    return TrainingSet(
      FeatureMatrix(states, columns: Self.d), targets: (0..<count).map { $0 % 2 }, anchors: labels)
  }

  private func accuracy(_ adapter: Adapter, _ count: Int) throws -> Double {
    let test = rings(count, seed: 9)
    let classifier = try Classifier(adapter: adapter, kernels: kernels)
    let right = (0..<count).filter { i in
      classifier.scores(of: test.features, row: i).best == test.targets[i]
    }
    return Double(right.count) / Double(count)
  }

  private func train(_ count: Int, joins: Bool = true) throws -> Adapter {
    try rings(count, seed: 1).discriminantAdapter(stacks: joins, kernels)
  }

  @Test func votesJoinWhereNoPlaneParts() throws {
    #expect(try accuracy(train(120, joins: false), 200) < 0.7)
    #expect(try accuracy(train(120), 200) > 0.95)
  }

  /// More examples than centers: all are learned from.
  @Test func manyExamplesHaveFewerCenters() throws {
    let examples = rings(1500, seed: 1)
    let head = try KernelRidge(set: examples, arithmetic: arithmetic).train(
      Array(0..<1500), penalties: [0.1])[0]
    #expect(head.count == 1024)
    var closeness = [Float](repeating: 0, count: head.count)
    let right = (0..<1500).filter { i in
      var votes: [Float] = [0, 0]
      examples.features.withRow(i) { row in
        votes.withUnsafeMutableBufferPointer {
          head.add(row, kernels, closeness: &closeness, to: $0)
        }
      }
      return (votes[1] > votes[0]) == (examples.targets[i] == 1)
    }
    #expect(right.count > 1450)
  }

  @Test func statesThatAreAllTheSame() throws {
    let same = [Float](repeating: 0, count: 40 * Self.d)
    let set = TrainingSet(
      FeatureMatrix(same, columns: Self.d), targets: (0..<40).map { $0 % 2 }, anchors: labels)
    let head = try KernelRidge(set: set, arithmetic: arithmetic).train(
      Array(0..<40), penalties: Hyperparameters.Ridge.penalties)[2]
    #expect(head.weights.allSatisfy { $0.magnitude < 1e-3 })
  }

  @Test func adapterFilesKeepThem() throws {
    let folder = try TemporaryFolder()
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    let model = try Container(path: folder.path("m.vdsq"), kind: .model)
    let trained = try train(120)
    guard case .rbf(let head) = trained.head else {
      Issue.record("no votes")
      return
    }
    let kernel = head.votes
    func write(_ kernel: RBFVotes, _ layers: [IntermediateFeature] = []) throws -> Adapter {
      let path = folder.path("a.vdsa")
      _ = try Adapter(
        labels: labels, intermediateFeatures: layers,
        head: .rbf(RBFHead(linear: head.linear, votes: kernel)),
        modelIdentity: model.identity
      ).write(to: path, replace: true)
      return try Adapter(path: path, model: model)
    }
    guard case .rbf(let stored) = try write(kernel).head else {
      Issue.record("no votes")
      return
    }
    let read = stored.votes
    #expect(read.centers == kernel.centers && read.weights == kernel.weights)
    #expect(read.sharpness == kernel.sharpness && read.dimensions == kernel.dimensions)
    func with(
      centers: [UInt16]? = nil, votes: [Float]? = nil, sharpness: Float = 2, dimensions: Int = 24
    ) -> RBFVotes {
      RBFVotes(
        dimensions: dimensions, centers: centers ?? kernel.centers,
        weights: votes ?? kernel.weights,
        sharpness: sharpness)
    }
    var infinite = kernel.centers
    infinite[3] = 0x7C00
    let wrong = [
      with(centers: infinite), with(sharpness: 0), with(sharpness: -1), with(dimensions: 12),
      with(centers: [], votes: []), with(votes: kernel.weights.map { $0 * .nan }),
    ]
    for head in wrong {
      #expect { try write(head) } throws: { ($0 as? VDSQError)?.category == .badInput }
    }
    // States of more layers than the dimensions divide by.
    #expect { try write(kernel, (1...4).map { IntermediateFeature($0) }) } throws: {
      ($0 as? VDSQError)?.category == .badInput
    }
  }
}
