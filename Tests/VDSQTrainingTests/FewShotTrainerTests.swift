import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics

import VDSQTraining

@Suite struct FewShotTrainerTests {
  private func plan(
    _ fixture: TrainingFixture, _ options: TrainingOptions,
    report: (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingPlan {
    try TrainingPlan(
      model: fixture.model, labels: fixture.labels, examples: fixture.examples, options: options,
      report: report)
  }

  /// The default finetunes from 32 examples of each label on, unless it may not; by name it always
  /// does.
  @Test func finetuningIsPlanned() throws {
    let (few, many) = (try TrainingFixture(perLabel: 31), try TrainingFixture(perLabel: 32))
    var options = TrainingOptions()
    #expect(try !plan(few, options).triesFinetuning)
    #expect(try plan(many, options).triesFinetuning)
    #expect(try plan(many, options).trainingBytes > 2 * plan(few, options).trainingBytes)
    options.run.memoryPolicy = .stream
    #expect(try !plan(many, options).triesFinetuning)
    options.run.memoryPolicy = nil
    options.allowsFinetuning = false
    #expect(try !plan(many, options).triesFinetuning)
    options.allowsFinetuning = true
    options.method = .frozen
    #expect(try !plan(many, options).triesFinetuning)
    options.method = .finetune
    #expect(try plan(few, options).triesFinetuning)
  }

  /// Blank examples change nothing; of those that only the tokenizer leaves nothing of, none is used.
  @Test func examplesWithNothingToRead() throws {
    let fixture = try TrainingFixture()
    var options = TrainingOptions()
    options.method = .frozen
    func adapter(_ examples: [Examples.Example]) throws -> (Adapter, [Int]) {
      var leftOut: [Int] = []
      let adapter = try FewShotTrainer.adapter(
        model: fixture.model, labels: fixture.labels, examples: examples, options: options
      ) { if case .leftOut(let count, _) = $0 { leftOut.append(count) } }
      return (adapter, leftOut)
    }
    let (plain, none) = try adapter(fixture.examples)
    let blank = ["", "\u{3000}"].map { Examples.Example(text: $0, label: "stop") }
    let (same, leftOut) = try adapter(fixture.examples + blank)
    #expect(none.isEmpty && leftOut == [2])
    func answer(_ adapter: Adapter) throws -> Prediction {
      try TextClassifier(model: fixture.model, adapter: adapter).classify("stop the world", top: 2)
    }
    #expect(try answer(plain) == answer(same))
    #expect {
      try adapter(fixture.examples + [Examples.Example(text: "\u{301}", label: "stop")])
    } throws: {
      ($0 as? VDSQError)?.message == "example 19: the text has nothing to read; leave it out"
    }
  }

  /// Without room for finetuning the default does without and says so; by name it is refused.
  @Test func budgetsAreKept() throws {
    let fixture = try TrainingFixture(perLabel: 32)
    var options = TrainingOptions()
    options.run.memoryBudget = 1 << 40
    #expect(try plan(fixture, options).encoderOptions.policy == .resident)
    func smallest() throws -> Int {
      options.method = .frozen
      let all = try Footprint.each(
        of: fixture.model.path, options: options.run.encoderOptions(),
        more: try plan(fixture, options).trainingBytes)
      return all.map(\.peakBytes).min()!
    }
    options.run.memoryBudget = nil
    // What the process takes is measured, so a little more than frozen training needs.
    let budget = try smallest() + (1 << 20)
    options.run.memoryBudget = budget
    options.method = .joint
    var skipped: [VDSQError] = []
    let joint = try plan(fixture, options) {
      if case .finetuningSkipped(let error) = $0 { skipped.append(error) }
    }
    #expect(!joint.triesFinetuning && skipped.map(\.category) == [.budgetTooSmall])
    options.method = .finetune
    #expect { try plan(fixture, options) } throws: {
      ($0 as? VDSQError)?.category == .budgetTooSmall
    }
    options.run.memoryBudget = 1 << 20
    options.method = .joint
    #expect { try plan(fixture, options) } throws: {
      ($0 as? VDSQError)?.category == .budgetTooSmall
    }
  }

  /// One trainer trains on parts of the examples; the same part gives the same adapter.
  @Test func trainersTrainAgain() throws {
    let fixture = try TrainingFixture()
    var options = TrainingOptions()
    options.method = .prior
    let trainer = try FewShotTrainer(try plan(fixture, options))
    var encoded: [Int] = []
    var shares: [Double] = []
    let examples = try trainer.encode(fixture.examples) {
      if case .encoded(let count, let all) = $0, all == fixture.examples.count {
        encoded.append(count)
      }
    }
    #expect(encoded.last == fixture.examples.count)
    func bytes(_ members: [Int]) throws -> Data {
      let adapter = try trainer.train(on: examples.subset(members)) {
        if case .trained(let share) = $0 { shares.append(share) }
      }
      let path = fixture.folder.path("a.vdsa")
      _ = try adapter.write(to: path, replace: true)
      return try Data(contentsOf: URL(filePath: path))
    }
    let (half, all) = (Array(0..<8), Array(examples.targets.indices))
    #expect(try bytes(half) == bytes(half))
    #expect(try bytes(half) != bytes(all))
    #expect(shares.contains(1) && shares.allSatisfy { $0 >= 0 && $0 <= 1 })
    #expect {
      try trainer.encode([.init(text: "a", label: "other")])
    } throws: { ($0 as? VDSQError)?.category == .badInput }
  }

  /// States from the cache make the same adapter, and the cache is not asked where weights are
  /// updated.
  @Test func cachesChangeNothing() throws {
    let fixture = try TrainingFixture()
    var options = TrainingOptions()
    options.method = .frozen
    options.cacheFolder = fixture.folder.path("cache")
    func features() throws -> [Float] {
      try FewShotTrainer(try plan(fixture, options)).encode(fixture.examples).features.values
    }
    let first = try features()
    #expect(try features() == first)
    #expect(try FileManager.default.contentsOfDirectory(atPath: options.cacheFolder!).count == 1)
    options.cacheFolder = nil
    #expect(try features() == first)
    var updated = TextEncoder.Options()
    let layers = try fixture.model.description.metadata.integer("layers", in: 1...100)
    let d = try fixture.model.description.metadata.integer("hidden_size", in: 1...4096)
    updated.updates = LowRankUpdates(
      rank: 1, layers: layers, hiddenSize: d, values: [Float](repeating: 0, count: layers * 4 * d))
    let encoder = try fixture.model.encoder(updated)
    #expect(try StateCache(folder: "/nowhere/at/all", encoder: encoder) == nil)
  }

  /// Labels are those that are named, or else the examples'; what is out of scope has no words.
  @Test func labelsOfExamples() {
    let examples = ["b", "a", "b", "none"].map { Examples.Example(text: "x", label: $0) }
    #expect(Examples.labels(of: examples).map(\.name) == ["b", "a", "none"])
    let scoped = Examples.labels(of: examples, outOfScope: "none")
    #expect(scoped.map(\.words) == [["b"], ["a"], []])
    let named = [Label(name: "a"), Label(name: "b")]
    #expect(Examples.labels(of: examples, named: named) == named)
    #expect(
      Examples.labels(of: examples, named: named, outOfScope: "none") == named + [
        .outOfScope("none")
      ])
    #expect(Examples.labels(of: examples, named: named, outOfScope: "other") == named)
  }
}
