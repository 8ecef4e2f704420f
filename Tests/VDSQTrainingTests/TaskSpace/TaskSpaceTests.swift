import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQTraining

/// Gradients of tasks against torch, and dendrogram, map and rank correlation against scipy and
/// numpy (Tools/reference/make_gradients.py).
@Suite struct TaskSpaceTests {
  private struct Golden: Decodable {
    struct Model: Decodable {
      let weight_norm: Double
      let norms, masked_norms: [Double]
      let samples: [[Float]]
      let transfer: [[Double]]
    }
    struct Structure: Decodable {
      let distances, points: [[Double]]
      let heights, x, y: [Double]
      let share, spearman: Double
    }
    let mask, step: Double
    let sample: Int
    let tasks: [String]
    let models: [String: Model]
    let structure: Structure

    static let all = try! Fixtures.json("gradients.json", as: Golden.self)
  }

  private struct Pairs: Decodable {
    struct Pair: Decodable {
      let task, good, bad: String
    }
    let pairs: [Pair]

    static let tasks = TaskSpace.grouped(
      try! Fixtures.json("pairs.json", as: Pairs.self).pairs.map {
        MinimalPair(good: $0.good, bad: $0.bad, task: $0.task)
      })
  }

  private static let names = Golden.all.models.keys.sorted()

  private func model(
    _ name: String, _ folder: TemporaryFolder, weights: Converter.Weights = .fp32
  ) throws -> Model {
    let path = folder.path("\(name).vdsq")
    _ = try Converter(folder: Fixtures.path("language-models/\(name)"), weights: weights).write(
      to: path, replace: false, progress: Progress(total: 1) { _ in })
    return try Model(path: path)
  }

  private func gradients(
    _ model: Model, layers: [Int], threads: Int = 1
  ) throws -> (TaskGradients, TextEncoder) {
    var run = RunOptions()
    (run.threads, run.batch) = (threads, 4)
    let encoder = try model.encoder(run)
    return (try TaskGradients(encoder, layers: layers), encoder)
  }

  @Test(arguments: names) func gradientsAreThoseOfTorch(_ name: String) throws {
    let golden = Golden.all, expected = try #require(golden.models[name])
    let model = try model(name, try TemporaryFolder())
    // The polynomial of GELU is off by up to 1e-4.
    let tolerance = ["gpt2", "gpt-neox", "gemma"].contains(name) ? 2e-3 : 1e-4
    for threads in [1, 2] {
      let (gradients, encoder) = try gradients(model, layers: [0, 1], threads: threads)
      for (pairs, samples) in zip(Pairs.tasks, expected.samples) {
        try gradients.compute(pairs)
        let all = gradients.sums.flatMap {
          Array(UnsafeBufferPointer(start: $0.p, count: $0.count))
        }
        let own = stride(from: 0, to: all.count, by: golden.sample).map { all[$0] }
        let error = relativeError(own, samples)
        #expect(Double(error) < tolerance, "\(name), \(pairs[0].task): \(error)")
      }
      let space = try TaskSpace(
        Pairs.tasks, gradients: gradients, container: encoder.container, share: golden.mask,
        step: golden.step)
      #expect(space.tasks.map(\.name) == golden.tasks)
      #expect(abs(space.weightNorm / expected.weight_norm - 1) < 1e-5)
      for (task, (norm, masked)) in zip(space.tasks, zip(expected.norms, expected.masked_norms)) {
        #expect(abs(task.norm / norm - 1) < tolerance)
        #expect(abs(task.maskedNorm / masked - 1) < tolerance)
      }
      let largest = expected.transfer.flatMap(\.self).map(\.magnitude).max()!
      for (own, reference) in zip(space.transfer.flatMap(\.self), expected.transfer.flatMap(\.self))
      {
        #expect(abs(own - reference) < 2 * tolerance * largest, "\(own), \(reference)")
      }
    }
  }

  /// Layers below the chosen ones are not differentiated, and that changes nothing.
  @Test func layersAreIndependent() throws {
    let model = try model("llama", try TemporaryFolder())
    let (both, _) = try gradients(model, layers: [0, 1])
    let (upper, _) = try gradients(model, layers: [1])
    try both.compute(Pairs.tasks[0])
    try upper.compute(Pairs.tasks[0])
    for i in 0..<upper.sums[0].count { #expect(both.sums[1].p[i] == upper.sums[0].p[i]) }
  }

  @Test(arguments: [Converter.Weights.fp32, .int8]) func smallStepsAreOfTheFirstOrder(
    _ weights: Converter.Weights
  ) throws {
    let model = try model("qwen2", try TemporaryFolder(), weights: weights)
    let (gradients, encoder) = try gradients(model, layers: [0, 1])
    let space = try TaskSpace(
      Pairs.tasks, gradients: gradients, container: encoder.container, share: 0.1, step: 1e-3)
    var run = RunOptions()
    run.precision = .high
    let scorer = try TextScorer(model: model, options: run)
    let exact = try ExactTransfer(
      Pairs.tasks, space, scorer: scorer, container: model.description)
    let largest = space.transfer.flatMap(\.self).map(\.magnitude).max()!
    for (own, first) in zip(exact.transfer.flatMap(\.self), space.transfer.flatMap(\.self)) {
      #expect(abs(own - first) < 0.1 * largest, "\(own), \(first)")
    }
    for task in Pairs.tasks.indices { #expect(exact.transfer[task][task] < 0) }
    #expect(exact.rankCorrelation > 0.9)
  }

  @Test func modelsWithNormsOfQueriesAreRefused() throws {
    for name in ["qwen3", "olmo2"] {
      let model = try model(name, try TemporaryFolder())
      #expect(throws: VDSQError.self) { try gradients(model, layers: [1]) }
    }
  }

  @Test func masksKeepTheLargestEntries() {
    let gradients = [Floats(6), Floats(4)]
    for (i, value) in [0.5, -3, 0, 2, -2, 1].enumerated() { gradients[0].p[i] = Float(value) }
    for (i, value) in [-2, 0.1, 7, 0].enumerated() { gradients[1].p[i] = Float(value) }
    let mask = GradientMask(gradients, share: 0.4)
    // Of equal ones the first come first.
    #expect(mask.places == [[1, 3, 4], [2]] && mask.count == 4)
    #expect(mask.values == [[-3, 2, -2], [7]])
    #expect(mask.square == 66 && mask.product(gradients) == 66)
    #expect(GradientMask(gradients, share: 1).count == 10)
    #expect(GradientMask(gradients, share: 1e-9).places == [[], [2]])
  }

  @Test func structureIsThatOfTheReference() {
    let golden = Golden.all.structure
    let tree = Dendrogram(golden.distances)
    #expect(zip(tree.joins, golden.heights).allSatisfy { abs($0.height - $1) < 1e-9 })
    #expect(tree.joins.count == golden.heights.count)
    #expect(tree.order.sorted() == Array(golden.distances.indices))
    let map = PrincipalCoordinates(golden.distances)
    for (point, expected) in zip(map.points, golden.points) {
      #expect(abs(point.x - expected[0]) < 1e-9 && abs(point.y - expected[1]) < 1e-9)
    }
    #expect(abs(map.share - golden.share) < 1e-9)
    #expect(abs(RankCorrelation.spearman(golden.x, golden.y) - golden.spearman) < 1e-12)
    #expect(Dendrogram([]).order.isEmpty && Dendrogram([[0]]).order == [0])
    #expect(PrincipalCoordinates([]).points.isEmpty)
    #expect(RankCorrelation.spearman([1, 1], [1, 2]) == 0)
  }
}
