import TestSupport
import Testing
import VDSQ
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

import VDSQTraining

@Suite struct FewShotEvaluationTests {
  private let folder: TemporaryFolder
  private let model: Model
  private let examples = [
    ("hello world", "greeting"), ("hello café", "greeting"), ("hello", "greeting"),
    ("stop now", "order"), ("stop the world", "order"), ("stop, please", "order"),
  ].map { Examples.Example(text: $0.0, label: $0.1) }

  init() throws {
    folder = try TemporaryFolder()
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    model = try Model(path: folder.path("m.vdsq"))
  }

  private func trainer(
    _ method: TrainingMethod = .joint, allowsFinetuning: Bool = true
  ) throws -> FewShotTrainer {
    var options = TrainingOptions()
    options.method = method
    options.allowsFinetuning = allowsFinetuning
    return try FewShotTrainer(
      TrainingPlan(
        model: model, labels: Label.parse(list: "greeting=hello,hi;order=stop,now"),
        examples: examples, options: options))
  }

  @Test func aRowForEachNumberOfShots() throws {
    let trainer = try trainer()
    var events: [String] = []
    let rows = try FewShotEvaluation(shots: [0, 1, 3], seeds: 2).rows(
      trainer, test: examples, training: examples
    ) {
      switch $0 {
      case .changedTest, .changedTraining: Issue.record("no text is long")
      case .encodedTest(let count, let all): events.append("test \(count)/\(all)")
      case .encodedTraining(let count, let all): events.append("training \(count)/\(all)")
      case .evaluated(let seeds, let all, let shots): events.append("\(shots): \(seeds)/\(all)")
      }
    }
    #expect(rows.map(\.shots) == [0, 1, 3])
    #expect(rows.map(\.method) == ["zero-shot", "joint", "joint"])
    #expect(rows.map(\.evaluations.count) == [1, 2, 2])
    for row in rows {
      #expect(row.names == ["greeting", "order"])
      #expect(row.confusion.map { $0.reduce(0, +) } == [3, 3].map { $0 * row.evaluations.count })
      for value in [row.accuracy.mean, row.macroF1, row.calibrationError] {
        #expect(value >= 0 && value <= 1)
      }
    }
    // All three of each label were trained on, so both draws are the same examples.
    #expect(rows[2].accuracy.mean > 0.8 && rows[2].accuracy.deviation == 0)
    #expect(events.last == "3: 2/2" && events.contains("1: 1/2") && events.contains("0: 1/2"))
    #expect(events.contains("test 6/6") && events.contains("training 6/6"))
  }

  /// A row is what training and classifying by hand gives.
  @Test func rowsAreWhatTrainingGives() throws {
    let trainer = try trainer(.knn)
    let rows = try FewShotEvaluation(shots: [2], seeds: 3).rows(
      trainer, test: examples, training: examples)
    let encoded = try trainer.encode(examples)
    for (seed, evaluation) in rows[0].evaluations.enumerated() {
      let drawn = FewShotSample(encoded.targets, labels: 2, count: 2, seed: UInt64(seed)).members
      let adapter = try trainer.train(
        on: encoded.subset(drawn))
      let adapted = try AdaptedExamples(
        examples, adapter: adapter, model: model, options: TrainingOptions())
      let row = EvaluationRow(of: adapted)
      #expect(row.shots == nil && row.method == "adapter" && row.names == rows[0].names)
      #expect(row.evaluations[0].confusion == evaluation.confusion)
    }
  }

  /// Zero-shot needs no texts to draw from; anything else does.
  @Test func withoutTrainingTexts() throws {
    let trainer = try trainer()
    let rows = try FewShotEvaluation(shots: [0], seeds: 5).rows(trainer, test: examples)
    #expect(rows.count == 1 && rows[0].evaluations.count == 1)
    #expect {
      try FewShotEvaluation(shots: [1], seeds: 1).rows(trainer, test: examples)
    } throws: { ($0 as? VDSQError)?.category == .usage }
  }

  @Test func labelsThatTheTrainerDoesNotKnow() throws {
    let strange = [Examples.Example(text: "hello", label: "other")]
    #expect {
      try FewShotEvaluation(shots: [0], seeds: 1).rows(try trainer(), test: strange)
    } throws: { ($0 as? VDSQError)?.message.contains("other is not among the labels") == true }
  }

  /// A review by a trainer lists every text once, most doubtful first.
  @Test func reviewsByATrainer() throws {
    let items = try Reconsideration.list(examples, trainer: try trainer(allowsFinetuning: false))
    #expect(items.map(\.example).sorted() == Array(examples.indices))
    #expect(items.map(\.distance) == items.map(\.distance).sorted())
    #expect {
      try Reconsideration.list(examples, trainer: try trainer(.finetune))
    } throws: { ($0 as? VDSQError)?.category == .usage }
  }
}
