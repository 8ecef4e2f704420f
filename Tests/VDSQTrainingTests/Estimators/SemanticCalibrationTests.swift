import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

@Suite struct SemanticCalibrationTests {
  private let d = 16
  private let kernels = KernelTable.available()[0]

  /// Clusters whose centres have nothing to do with the anchors: zero-shot is wrong by design.
  private func task(_ perClass: Int, seed: UInt64) -> (states: [Float], targets: [Int]) {
    var random = Random(5)
    let centres = random.floats(3 * d)
    var noise = Random(seed)
    var states: [Float] = [], targets: [Int] = []
    for i in 0..<perClass * 3 {
      let target = i % 3
      let spread = noise.floats(d, in: -0.4...0.4)
      states += (0..<d).map { centres[target * d + $0] + spread[$0] }
      targets.append(target)
    }
    return (states, targets)
  }

  private var labels: LabelSet {
    var anchors = [Float](repeating: 0, count: 3 * d)
    for i in 0..<3 { anchors[i * d + i] = 1 }
    return LabelSet(names: ["a", "b", "c"], dimensions: d, anchors: anchors)
  }

  private func accuracy(_ adapter: Adapter?, _ task: (states: [Float], targets: [Int])) throws
    -> Double
  {
    let classifier =
      if let adapter {
        try Classifier(adapter: adapter, kernels: kernels)
      } else {
        try Classifier(labels: labels, kernels: kernels)
      }
    let right = task.targets.indices.filter { i in
      let scores = task.states.withUnsafeBufferPointer {
        classifier.scores(of: $0.baseAddress! + i * d, top: 1)
      }
      return scores.best == task.targets[i]
    }
    return Double(right.count) / Double(task.targets.count)
  }

  private func train(_ task: (states: [Float], targets: [Int]), seed: UInt64 = 1) throws -> Adapter
  {
    var options = SemanticCalibration.Options()
    options.seed = seed
    return try SemanticCalibration(options: options, kernels: kernels).train(
      TrainingSet(
        FeatureMatrix(task.states, columns: d), targets: task.targets, anchors: labels),
      modelIdentity: 7)
  }

  @Test func examplesAreLearned() throws {
    let test = task(50, seed: 99)
    let adapter = try train(task(16, seed: 1))
    #expect(try accuracy(nil, test) < 0.7)
    #expect(try accuracy(adapter, test) > 0.95)
  }

  @Test func trainingIsDeterministic() throws {
    let examples = task(4, seed: 1)
    #expect(try module(train(examples)).up == module(train(examples)).up)
    #expect(try module(train(examples)).up != module(train(examples, seed: 2)).up)
  }

  @Test func aStrengthOfNothingIsTheIdentity() throws {
    let test = task(20, seed: 3)
    let trained = try train(task(8, seed: 1))
    let adapter = Adapter(
      labels: trained.labels, temperature: trained.temperature,
      head: .residual(try module(trained).scaled(by: 0)), modelIdentity: 7)
    #expect(try accuracy(adapter, test) == accuracy(nil, test))
  }

  @Test func noExamplesAreRefused() {
    #expect { try train(([], [])) } throws: { ($0 as? VDSQError)?.category == .usage }
  }

  @Test func adapterFilesKeepEverything() throws {
    let folder = try TemporaryFolder()
    let converter = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8)
    _ = try converter.write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    let model = try Container(path: folder.path("m.vdsq"), kind: .model)
    let trained = try train(task(4, seed: 1))
    let adapter = Adapter(
      labels: trained.labels, temperature: trained.temperature, head: trained.head,
      modelIdentity: model.identity)
    _ = try adapter.write(to: folder.path("a.vdsa"), replace: false)
    let read = try Adapter(path: folder.path("a.vdsa"), model: model)
    #expect(read.labels.names == ["a", "b", "c"])
    let (kept, own) = (try module(read), try module(adapter))
    #expect(kept.down == own.down && kept.up == own.up && kept.offset == own.offset)
    #expect(read.labels.anchors == adapter.labels.anchors)

    _ = try trained.write(to: folder.path("other.vdsa"), replace: false)
    #expect { try Adapter(path: folder.path("other.vdsa"), model: model) } throws: {
      ($0 as? VDSQError)?.message.contains("another model") == true
    }
  }

  private func module(_ adapter: Adapter) throws -> ResidualModule {
    guard case .residual(let module) = adapter.head else { throw NotAModule() }
    return module
  }

  private struct NotAModule: Error {}
}
