import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

@Suite struct LabelPriorTests {
  private let d = 24
  private let kernels = KernelTable.available()[0]

  /// Anchors, and classes whose centres lie near them or are others altogether.
  private func task(
    _ perClass: Int, near: Float, seed: UInt64
  ) -> (states: [Float], targets: [Int], labels: LabelSet) {
    var random = Random(11)
    var anchors = random.floats(3 * d)
    let centres = random.floats(3 * d)
    for i in 0..<3 {
      let norm = anchors[i * d..<(i + 1) * d].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for j in 0..<d { anchors[i * d + j] /= norm }
    }
    var noise = Random(seed)
    var states: [Float] = [], targets: [Int] = []
    for i in 0..<perClass * 3 {
      let target = i % 3
      let spread = noise.floats(d, in: -0.6...0.6)
      for j in 0..<d {
        let at = target * d + j
        states.append(near * anchors[at] * 2 + (1 - near) * centres[at] + spread[j])
      }
      targets.append(target)
    }
    let labels = LabelSet(names: ["a", "b", "c"], dimensions: d, anchors: anchors)
    return (states, targets, labels)
  }

  private func accuracy(
    _ adapter: Adapter, _ test: (states: [Float], targets: [Int], labels: LabelSet)
  ) throws -> Double {
    let classifier = try Classifier(adapter: adapter, kernels: kernels)
    let right = test.targets.indices.filter { i in
      let scores = test.states.withUnsafeBufferPointer {
        classifier.scores(of: $0.baseAddress! + i * d, top: 1)
      }
      #expect((scores.probabilities.reduce(0, +) - 1).magnitude < 1e-4)
      return scores.best == test.targets[i]
    }
    return Double(right.count) / Double(test.targets.count)
  }

  private func train(
    _ task: (states: [Float], targets: [Int], labels: LabelSet)
  ) throws -> Adapter {
    try LabelPrior(kernels: kernels).train(
      states: task.states, targets: task.targets, labels: task.labels, modelIdentity: 7)
  }

  @Test func oneExampleAClassKeepsWhatWordsSay() throws {
    let trained = try train(task(1, near: 1, seed: 1))
    #expect(try accuracy(trained, task(100, near: 1, seed: 9)) > 0.9)
  }

  @Test func manyExamplesOverruleWords() throws {
    let trained = try train(task(40, near: 0, seed: 1))
    #expect(try accuracy(trained, task(100, near: 0, seed: 9)) > 0.97)
  }

  /// States in two blocks, of which one tells the classes apart and the other is noise.
  private func blocks(
    _ perClass: Int, informative: Int, seed: UInt64
  ) -> (states: [Float], targets: [Int], labels: LabelSet) {
    let good = task(perClass, near: 1, seed: seed)
    var noise = Random(seed + 100)
    let count = good.targets.count
    let rest = noise.floats(count * d), words = noise.floats(3 * d)
    func joined(_ a: [Float], _ b: [Float], _ rows: Int, _ scale: Float) -> [Float] {
      (0..<rows).flatMap { row in
        let parts = [a, b].map { Array($0[row * d..<(row + 1) * d]) }
        let both = informative == 0 ? parts : parts.reversed()
        return both[0] + both[1].map { $0 * scale }
      }
    }
    return (
      joined(good.states, rest, count, 1), good.targets,
      LabelSet(
        names: good.labels.names, dimensions: 2 * d,
        anchors: joined(good.labels.anchors, words, 3, 1).map { $0 / 2 })
    )
  }

  /// Lower layers are taken where held-out examples like them, and left out where they do not.
  @Test(arguments: [0, 1])
  func intermediateFeaturesAreTakenWhereTheyHelp(_ informative: Int) throws {
    let examples = blocks(20, informative: informative, seed: 1)
    let trained = try LabelPrior(kernels: kernels).train(
      states: examples.states, targets: examples.targets, labels: examples.labels,
      intermediateFeatures: [IntermediateFeature(1)], modelIdentity: 7)
    #expect(trained.intermediateFeatures == (informative == 1 ? [IntermediateFeature(1)] : []))
    #expect(trained.labels.dimensions == (informative == 1 ? 2 * d : d))
    let test = blocks(100, informative: informative, seed: 9)
    let size = trained.labels.dimensions
    let classifier = try Classifier(adapter: trained, kernels: kernels)
    let right = test.targets.indices.filter { i in
      let scores = test.states.withUnsafeBufferPointer {
        classifier.scores(of: $0.baseAddress! + i * 2 * d, top: 1)
      }
      return scores.best == test.targets[i]
    }
    #expect(Double(right.count) > 0.9 * Double(test.targets.count), "\(size)")
  }

  /// Fewer examples than dimensions, or more: the same discriminants from what covariances are made of.
  @Test func bothWaysToInvertAgree() throws {
    let few = task(7, near: 0.5, seed: 3)
    let strengths: [Float] = [20, 2000]
    let members = Array(few.targets.indices)
    let whole = LabelPrior.Task(states: few.states, targets: few.targets, labels: few.labels)
    let direct = try LabelPrior.Fit(whole, members, anchor: 2, kernels)
    // The same examples twice are the same means (the priors twice their worth) and covariance.
    let twice = LabelPrior.Task(
      states: few.states + few.states, targets: few.targets + few.targets, labels: few.labels)
    let doubled = try LabelPrior.Fit(
      twice, Array(twice.targets.indices), anchor: 4,
      centerExamples: 2 * LabelPrior.centerExamples, kernels)
    #expect(few.targets.count < d && twice.targets.count >= d)
    for sphere in strengths {
      let a = try direct.head(sphere, kernels), b = try doubled.head(2 * sphere, kernels)
      #expect(relativeError(a.weights, b.weights) < 1e-3)
      #expect(relativeError(a.bias, b.bias) < 1e-3)
    }
  }

  /// Classes of two clusters each, which no mean tells: regression takes over where there are examples enough.
  @Test func regressionJoinsWhereMeansFail() throws {
    func task(_ perClass: Int, seed: UInt64) -> (states: [Float], targets: [Int], labels: LabelSet)
    {
      let plain = self.task(1, near: 1, seed: 1)
      var noise = Random(seed)
      var states: [Float] = [], targets: [Int] = []
      for i in 0..<perClass * 3 {
        let target = i % 3
        var state = noise.floats(d, in: -0.1...0.1)
        // A small shift tells the class; a large one that they share drowns the means' covariance.
        state[target] += 0.3
        state[d - 1] += i % 2 == 0 ? 3 : -3
        state[target + 3] += i % 2 == 0 ? 0.4 : 0
        states += state
        targets.append(target)
      }
      return (states, targets, plain.labels)
    }
    let trained = try train(task(40, seed: 1))
    #expect(try accuracy(trained, task(100, seed: 9)) > 0.97)
    #expect(try train(task(40, seed: 1)).linear!.weights == trained.linear!.weights)
  }

  @Test func trainingIsDeterministic() throws {
    let examples = task(6, near: 0.5, seed: 1)
    #expect(try train(examples).linear!.weights == train(examples).linear!.weights)
  }

  @Test func examplesThatAreAllTheSameOrMissing() throws {
    let labels = task(1, near: 1, seed: 1).labels
    let same = [Float](repeating: 0.1, count: 6 * d)
    let trained = try train((same, [0, 1, 2, 0, 1, 2], labels))
    // A label without examples has its words.
    let missing = try train((same, [0, 0, 0, 1, 1, 1], labels))
    for head in [trained.linear!, missing.linear!] {
      #expect(!(head.weights + head.bias).contains { !$0.isFinite })
    }
    #expect { try train(([], [], labels)) } throws: { ($0 as? VDSQError)?.category == .usage }
    let broken = [Float](repeating: .nan, count: 2 * d)
    #expect(throws: VDSQError.self) { try train((broken, [0, 1], labels)) }
  }

  /// Solutions of a symmetric system, checked by multiplying back.
  @Test(arguments: [1, 2, 3, 17, 40])
  func symmetricSystems(size: Int) throws {
    var random = Random(2)
    let a = random.floats(size * size)
    var matrix = [Float](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in 0..<size {
        for k in 0..<size { matrix[i * size + j] += a[i * size + k] * a[j * size + k] }
      }
      matrix[i * size + i] += 1
    }
    let x = random.floats(size)
    var b = (0..<size).map { i in (0..<size).reduce(0) { $0 + matrix[i * size + $1] * x[$1] } }
    let system = try #require(SymmetricSystem(matrix, size: size, kernels: kernels))
    system.solve(&b)
    #expect(zip(b, x).allSatisfy { ($0 - $1).magnitude < 1e-3 })
    #expect(SymmetricSystem(matrix.map { -$0 }, size: size, kernels: kernels) == nil)
  }

  @Test func adapterFilesKeepTheHead() throws {
    let folder = try TemporaryFolder()
    let converter = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8)
    _ = try converter.write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    let model = try Container(path: folder.path("m.vdsq"), kind: .model)
    let trained = try train(task(4, near: 0.5, seed: 1))
    let adapter = Adapter(
      labels: trained.labels,
      intermediateFeatures: [IntermediateFeature(1), IntermediateFeature(4, of: .firstToken)],
      head: trained.head,
      modelIdentity: model.identity)
    _ = try adapter.write(to: folder.path("a.vdsa"), replace: false)
    let read = try Adapter(path: folder.path("a.vdsa"), model: model)
    #expect(
      read.linear!.weights == trained.linear!.weights && read.linear!.bias == trained.linear!.bias)
    #expect(
      read.intermediateFeatures == [
        IntermediateFeature(1), IntermediateFeature(4, of: .firstToken),
      ])
    // The model has other dimensions, and no fourth layer.
    for layers in [[], [IntermediateFeature(1), IntermediateFeature(4)]] {
      let wrong = Adapter(
        labels: trained.labels, intermediateFeatures: layers, head: trained.head,
        modelIdentity: model.identity)
      #expect { try wrong.encoder(model, options: .init()) } throws: {
        ($0 as? VDSQError)?.category == .badInput
      }
    }
    #expect(read.labels.anchors == trained.labels.anchors)
  }
}

extension Adapter {
  fileprivate var linear: LinearHead? {
    switch head {
    case .linear(let head): head
    case .rbf(let head): head.linear
    case .residual, .nearestNeighbors, nil: nil
    }
  }
}
