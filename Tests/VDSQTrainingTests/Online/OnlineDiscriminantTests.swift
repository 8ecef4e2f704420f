import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQKernels
import VDSQSemantics

import VDSQTraining

@Suite struct OnlineDiscriminantTests {
  private let d = 24
  private let kernels = KernelTable.available()[0]
  private var arithmetic: MatrixArithmetic { MatrixArithmetic(kernels: kernels) }

  private var labels: LabelSet {
    var anchors = [Float](repeating: 0, count: 3 * d)
    for i in 0..<3 { anchors[i * d + i] = 1 }
    return LabelSet(names: ["a", "b", "c"], dimensions: d, anchors: anchors)
  }

  private func examples(_ count: Int, seed: UInt64) -> [(state: [Float], target: Int)] {
    var random = Random(seed)
    return (0..<count).map { i in
      var state = random.floats(d, in: -0.5...0.5)
      state[i % 3 + 3] += 1
      return (state, i % 3)
    }
  }

  private func learned(_ examples: [(state: [Float], target: Int)]) throws -> OnlineDiscriminant {
    var online = try OnlineDiscriminant(labels: labels, kernels: kernels)
    for example in examples { try online.learn(example.state, example.target) }
    return online
  }

  private func accuracy(_ online: OnlineDiscriminant) throws -> Double {
    let adapter = try online.adapter(modelIdentity: 7).adapter
    let classifier = try Classifier(adapter: adapter, kernels: kernels)
    let test = examples(300, seed: 99)
    let right = test.count {
      let scores = classifier.scores(of: $0.state, top: 1)
      return scores.best == $0.target
    }
    return Double(right) / Double(test.count)
  }

  private func weights(_ online: OnlineDiscriminant) throws -> [Float] {
    guard case .linear(let head) = try online.adapter(modelIdentity: 7).adapter.head else {
      return []
    }
    return head.weights + head.bias
  }

  /// One after another they teach what all at once do.
  @Test(arguments: [10, 60])
  func theSameAsAllAtOnce(_ count: Int) throws {
    let examples = examples(count, seed: 1)
    let online = try learned(examples)
    let set = TrainingSet(
      FeatureMatrix(examples.flatMap(\.state), columns: d), targets: examples.map(\.target),
      anchors: labels)
    let members = Array(set.targets.indices)
    let statistics = set.statistics(of: members, hasScatter: true, arithmetic)
    let (a, b) = (
      try GaussianClasses(set, members, priorCount: 4, arithmetic)
        .linearHead(shrinkageCount: 300, arithmetic),
      try GaussianClasses(
        set.prior(statistics), statistics, priorCount: 4
      ).linearHead(shrinkageCount: 300, arithmetic)
    )
    #expect(relativeError(a.weights, b.weights) < 1e-3 && relativeError(a.bias, b.bias) < 1e-3)
    #expect(online.count == count)
    let accuracy = try accuracy(online)
    #expect(accuracy > (count == 60 ? 0.95 : 0.6), "\(accuracy)")
  }

  @Test func moreTeachMore() throws {
    let none = try accuracy(try learned([]))
    let some = try accuracy(try learned(examples(12, seed: 2)))
    let many = try accuracy(try learned(examples(300, seed: 2)))
    #expect(none < 0.5 && some > none && many > 0.97 && many >= some)
  }

  /// What was taken back never was, to the bit.
  @Test func undoneExamplesLeaveNothing() throws {
    let all = examples(40, seed: 3)
    var online = try learned(all)
    for i in (24..<40).reversed() { #expect(online.undo() == all[i].target) }
    #expect(online.undo() == nil && online.count == 24)
    // The sixteen that were folded to make room stay folded, so sums are the same but for their
    // order.
    #expect(relativeError(try weights(online), try weights(try learned(Array(all[..<24])))) < 1e-4)
    var few = try learned(Array(all[..<10]))
    try few.learn(all[10].state, all[10].target)
    _ = few.undo()
    #expect(try weights(few) == weights(try learned(Array(all[..<10]))))
  }

  /// A label that is forgotten is never an answer, and what others are told by stays.
  @Test func labelsComeAndGo() throws {
    var online = try learned(examples(90, seed: 4))
    try online.forget(1)
    #expect(online.labels.names == ["a", "c"] && online.count == 60)
    let adapter = try online.adapter(modelIdentity: 7).adapter
    let classifier = try Classifier(adapter: adapter, kernels: kernels)
    let test = examples(90, seed: 5).filter { $0.target != 1 }
    let right = test.count {
      let scores = classifier.scores(of: $0.state, top: 1)
      return scores.best == ($0.target == 0 ? 0 : 1)
    }
    #expect(right > 56)

    var anchor = [Float](repeating: 0, count: d)
    anchor[10] = 1
    let other = LabelSet(names: ["d"], dimensions: d, anchors: anchor)
    try online.add(other)
    #expect(online.labels.names == ["a", "c", "d"])
    for example in examples(30, seed: 6) {
      var state = example.state
      state[example.target + 3] -= 1
      state[12] += 1
      try online.learn(state, 2)
    }
    var state = [Float](repeating: 0, count: d)
    state[12] = 1
    let added = try online.adapter(modelIdentity: 7).adapter
    let judge = try Classifier(adapter: added, kernels: kernels)
    let judged = judge.scores(of: state, top: 1)
    #expect(judged.best == 2)
    #expect { try online.add(other) } throws: { ($0 as? VDSQError)?.category == .usage }
    try online.forget(0)
    try online.forget(0)
    #expect { try online.forget(0) } throws: { ($0 as? VDSQError)?.category == .usage }
  }

  private func model(in folder: TemporaryFolder) throws -> Container {
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    return try Container(path: folder.path("m.vdsq"), kind: .model)
  }

  /// Learning on from a file is learning on, whatever the number of examples; the file does not
  /// grow.
  @Test(arguments: [0, 5, 16, 50])
  func filesKeepEverything(_ count: Int) throws {
    let folder = try TemporaryFolder()
    let model = try model(in: folder)
    let path = folder.path("a.vdsa")
    let all = examples(count + 1, seed: 7)
    var online = try learned(Array(all[..<count]))
    try online.write(to: path, modelIdentity: model.identity, replace: true)
    var read = try OnlineDiscriminant(path: path, model: model, kernels: kernels)
    #expect(read.count == count && read.labels.names == online.labels.names)
    #expect(try weights(read) == weights(online))
    try read.learn(all[count].state, all[count].target)
    try online.learn(all[count].state, all[count].target)
    #expect(try weights(read) == weights(online))
    #expect(try Adapter(path: path, model: model).labels.names == ["a", "b", "c"])
    if count == 50 {
      let length = try Data(contentsOf: URL(filePath: path)).count
      for example in examples(100, seed: 8) { try read.learn(example.state, example.target) }
      try read.write(to: path, modelIdentity: model.identity, replace: true)
      #expect(try Data(contentsOf: URL(filePath: path)).count == length)
    }
  }

  /// Texts without labels move the head as `SemiSupervisedDiscriminant` says, are kept by the file,
  /// and leave nothing when they are forgotten.
  @Test(arguments: [0, 9])
  func streamsMoveTheHead(_ count: Int) throws {
    let folder = try TemporaryFolder()
    let model = try model(in: folder)
    let path = folder.path("a.vdsa")
    var online = try learned(examples(count, seed: 7))
    let before = try weights(online)
    let texts = examples(240, seed: 9).map(\.state)
    online.see(texts[..<150].flatMap { $0 })
    let few = try online.adapter(modelIdentity: 7)
    guard case .fewerThan(200) = few.refusal else {
      Issue.record("\(String(describing: few.refusal))")
      return
    }
    #expect(try weights(online) == before)
    // Again, with those that were there.
    online.see(texts.flatMap { $0 })
    let moved = try weights(online)
    #expect(try online.adapter(modelIdentity: 7).refusal == nil)
    #expect(moved != before && online.stream.count == 240)
    if count == 0 {
      let outcome = try SemiSupervisedDiscriminant(
        labels, texts: FeatureMatrix(texts.flatMap { $0 }, columns: d), arithmetic
      ).head()
      guard case .head(let head) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(head.weights + head.bias == moved)
    }
    try online.write(to: path, modelIdentity: model.identity, replace: true)
    var read = try OnlineDiscriminant(path: path, model: model, kernels: kernels)
    #expect(try weights(read) == moved)
    read.forgetStream()
    #expect(try weights(read) == before)
  }

  /// Files whose numbers cannot be: refused by the tensor's name.
  @Test func filesThatLie() throws {
    let folder = try TemporaryFolder()
    let model = try model(in: folder)
    let path = folder.path("a.vdsa")
    let online = try learned(examples(5, seed: 1))
    let adapter = try online.adapter(modelIdentity: model.identity).adapter
    let triangle = d * (d + 1) / 2
    func write(_ change: (inout [(String, [Float], [Int])]) -> Void) throws {
      var parts: [(String, [Float], [Int])] = [
        (OnlineDiscriminant.Name.counts, [1, 2, 2], [3]),
        (OnlineDiscriminant.Name.sums, [Float](repeating: 0, count: 3 * d), [3, d]),
        (OnlineDiscriminant.Name.scatter, [Float](repeating: 1, count: triangle), [triangle]),
        (
          OnlineDiscriminant.Name.scores,
          [Float](repeating: 0, count: OnlineDiscriminant.scoreCount),
          [OnlineDiscriminant.scoreCount]
        ),
      ]
      change(&parts)
      var file = adapter.contents
      for (name, values, shape) in parts { file.add(name, .float32(values), shape: shape) }
      _ = try file.write(to: path, replace: true)
    }
    try write { _ in }
    #expect(try OnlineDiscriminant(path: path, model: model, kernels: kernels).count == 5)
    let changes: [(inout [(String, [Float], [Int])]) -> Void] = [
      { $0[0].1[1] = -1 }, { $0[0].1[1] = 0.5 }, { $0[0].1[1] = 1e30 }, { $0[1].1[3] = .nan },
      { $0[2].1[0] = -1 },
      { $0[3].1[0] = -.infinity }, { $0.remove(at: 2) }, { $0.removeFirst() },
      { $0.append((OnlineDiscriminant.Name.targets, [0], [1])) },
      { [d] in
        $0.append((OnlineDiscriminant.Name.stream, [Float](repeating: .nan, count: d), [1, d]))
      },
      { [d] in
        $0.append(
          (
            OnlineDiscriminant.Name.stream, [Float](repeating: 0, count: 2001 * d), [2001, d]
          ))
      },
    ]
    for change in changes {
      try write(change)
      #expect { try OnlineDiscriminant(path: path, model: model, kernels: kernels) } throws: {
        ($0 as? VDSQError)?.category == .badInput
      }
    }
  }
}
