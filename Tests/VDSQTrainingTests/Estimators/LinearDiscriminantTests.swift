import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

@Suite struct LinearDiscriminantTests {
  private let d = 24
  private let kernels = KernelTable.available()[0]
  private var arithmetic: MatrixArithmetic { MatrixArithmetic(kernels: kernels) }

  private func set(
    _ states: [Float], _ targets: [Int], _ anchors: LabelSet
  ) -> TrainingSet {
    TrainingSet(FeatureMatrix(states, columns: d), targets: targets, anchors: anchors)
  }

  /// Anchors, and classes whose centres lie near them or are others altogether.
  private func task(_ perClass: Int, near: Float, seed: UInt64) -> TrainingSet {
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
    return set(
      states, targets, LabelSet(names: ["a", "b", "c"], dimensions: d, anchors: anchors))
  }

  private func accuracy(_ adapter: Adapter, _ test: TrainingSet) throws -> Double {
    let classifier = try Classifier(adapter: adapter, kernels: kernels)
    let right = test.targets.indices.filter { i in
      let scores = classifier.scores(of: test.features, row: i)
      #expect((scores.probabilities.reduce(0, +) - 1).magnitude < 1e-4)
      return scores.best == test.targets[i]
    }
    return Double(right.count) / Double(test.targets.count)
  }

  private func train(_ set: TrainingSet) throws -> Adapter {
    try set.discriminantAdapter(kernels)
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
  private func blocks(_ perClass: Int, informative: Int, seed: UInt64) -> TrainingSet {
    let good = task(perClass, near: 1, seed: seed)
    var noise = Random(seed + 100)
    let count = good.count
    let rest = noise.floats(count * d), words = noise.floats(3 * d)
    func joined(_ a: [Float], _ b: [Float], _ rows: Int, _ scale: Float) -> [Float] {
      (0..<rows).flatMap { row in
        let parts = [a, b].map { Array($0[row * d..<(row + 1) * d]) }
        let both = informative == 0 ? parts : parts.reversed()
        return both[0] + both[1].map { $0 * scale }
      }
    }
    return TrainingSet(
      FeatureMatrix(
        joined(good.features.values, rest, count, 1),
        layout: .init(blockSize: d, intermediateFeatures: [IntermediateFeature(1)])),
      targets: good.targets,
      anchors: LabelSet(
        names: good.anchors.names, dimensions: 2 * d,
        anchors: joined(good.anchors.anchors, words, 3, 1).map { $0 / 2 }))
  }

  /// Lower layers are taken where held-out examples like them, and left out where they do not.
  @Test(arguments: [0, 1])
  func intermediateFeaturesAreTakenWhereTheyHelp(_ informative: Int) throws {
    let examples = blocks(20, informative: informative, seed: 1)
    let trained = try train(examples)
    #expect(trained.intermediateFeatures == (informative == 1 ? [IntermediateFeature(1)] : []))
    #expect(trained.labels.dimensions == (informative == 1 ? 2 * d : d))
    let test = blocks(100, informative: informative, seed: 9)
    let size = trained.labels.dimensions
    let classifier = try Classifier(adapter: trained, kernels: kernels)
    let right = test.targets.indices.filter { i in
      classifier.scores(of: test.features, row: i).best == test.targets[i]
    }
    #expect(Double(right.count) > 0.9 * Double(test.targets.count), "\(size)")
  }

  /// Fewer examples than dimensions, or more: the same discriminants from what covariances are made
  /// of.
  @Test func bothWaysToInvertAgree() throws {
    let few = task(5, near: 0.5, seed: 3)
    let shrinkageCounts: [Float] = [20, 2000]
    let direct = try GaussianClasses(few, Array(few.targets.indices), priorCount: 2, arithmetic)
    // The same examples twice are the same means (the priors twice their worth) and covariance.
    let twice = set(
      few.features.values + few.features.values, few.targets + few.targets, few.anchors)
    let doubled = try GaussianClasses(
      twice, Array(twice.targets.indices), priorCount: 4,
      centerCount: 2 * Hyperparameters.Discriminant.centerCount, arithmetic)
    #expect(
      GaussianClasses.areFew(few.count, d) && !GaussianClasses.areFew(twice.count, d))
    for count in shrinkageCounts {
      let a = try direct.linearHead(shrinkageCount: count, arithmetic)
      let b = try doubled.linearHead(shrinkageCount: 2 * count, arithmetic)
      // Twice the examples bear out the words a little more.
      #expect(relativeError(a.weights, b.weights) < 3e-3)
      #expect(relativeError(a.bias, b.bias) < 3e-3)
    }
  }

  /// Classes of two clusters each, which no mean tells: regression takes over where there are
  /// examples enough.
  @Test func regressionJoinsWhereMeansFail() throws {
    func task(_ perClass: Int, seed: UInt64) -> TrainingSet {
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
      return set(states, targets, plain.anchors)
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
    let labels = task(1, near: 1, seed: 1).anchors
    let same = [Float](repeating: 0.1, count: 6 * d)
    let trained = try train(set(same, [0, 1, 2, 0, 1, 2], labels))
    // A label without examples has its words.
    let missing = try train(set(same, [0, 0, 0, 1, 1, 1], labels))
    for head in [trained.linear!, missing.linear!] {
      #expect(!(head.weights + head.bias).contains { !$0.isFinite })
    }
    #expect { try train(set([], [], labels)) } throws: { ($0 as? VDSQError)?.category == .usage }
    let broken = [Float](repeating: .nan, count: 2 * d)
    #expect(throws: VDSQError.self) { try train(set(broken, [0, 1], labels)) }
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
