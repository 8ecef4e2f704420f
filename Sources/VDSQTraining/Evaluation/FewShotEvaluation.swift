public import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Measures few-shot training: draws a few examples of each label, trains on them, and classifies
/// texts that were held out.
///
///     let trainer = try FewShotTrainer(plan)
///     let evaluation = FewShotEvaluation(shots: [0, 4, 16], seeds: 5)
///     for row in try evaluation.rows(trainer, test: test, training: training) {
///       print(row.shots!, row.accuracy.mean)
///     }
///
/// Each text goes through the model once, unless an adapter changes the encoder's weights: then the
/// test texts go through the changed model again.
public struct FewShotEvaluation: Sendable {
  /// The progress of an evaluation.
  public enum Event: Sendable {
    /// The number of test texts that have passed through the model.
    case encodedTest(Int, of: Int)
    /// The number of training texts that have passed through the model.
    case encodedTraining(Int, of: Int)
    /// The number of seeds of a row that are done.
    case evaluated(seeds: Int, of: Int, shots: Int)
    /// Some test texts were truncated, or parts of them replaced (`TrainingEvent`).
    case changedTest(TrainingEvent)
    /// Some training texts were truncated, or parts of them replaced (`TrainingEvent`).
    case changedTraining(TrainingEvent)
  }

  /// Examples of each label to train on, for one row each; 0 for the label words alone.
  public let shots: [Int]
  /// How often examples are drawn, from 1 up. A row without examples is measured once.
  public let seeds: Int

  /// - Parameters:
  ///   - shots: numbers from 0 up.
  ///   - seeds: from 1 up.
  public init(shots: [Int], seeds: Int) {
    self.shots = shots
    self.seeds = seeds
  }

  /// Evaluates a trainer's method.
  ///
  /// - Parameters:
  ///   - test: the texts to classify.
  ///   - training: the texts to draw examples from; none if `shots` are all 0.
  ///   - report: called as the work goes on.
  /// - Returns: one row for each of `shots`.
  /// - Throws: `badInput` if a text's label is not among the trainer's; what training throws.
  public func rows(
    _ trainer: FewShotTrainer, test: [Examples.Example], training: [Examples.Example] = [],
    report: @escaping (Event) -> Void = { _ in }
  ) throws(VDSQError) -> [EvaluationRow] {
    let run = FewShotEvaluationRun(
      trainer: trainer, test: test,
      encodedTest: try trainer.encode(test) {
        if case .encoded(let count, let all) = $0 {
          report(.encodedTest(count, of: all))
        } else {
          report(.changedTest($0))
        }
      },
      training: training.isEmpty
        ? nil
        : try trainer.encode(training) {
          if case .encoded(let count, let all) = $0 {
            report(.encodedTraining(count, of: all))
          } else {
            report(.changedTraining($0))
          }
        })
    // Every draw would say the same.
    var (isRefusalTold, isTimeTold) = (false, false)
    let tell = { (event: TrainingEvent) in
      switch event {
      case .unlabelledTextsRefused where !isRefusalTold: isRefusalTold = true
      case .finetuning where !isTimeTold: isTimeTold = true
      default: return
      }
      report(.changedTraining(event))
    }
    var rows: [EvaluationRow] = []
    for count in shots {
      isTimeTold = false
      var evaluations: [Evaluation] = []
      for seed in 0..<(count == 0 ? 1 : seeds) {
        evaluations.append(
          try count == 0
            ? run.zeroShot(report: tell) : run.fewShot(count, seed: UInt64(seed), report: tell))
        report(.evaluated(seeds: seed + 1, of: seeds, shots: count))
      }
      rows.append(
        EvaluationRow(
          shots: count, method: count == 0 ? "zero-shot" : trainer.plan.method.rawValue,
          names: trainer.anchors.names, evaluations: evaluations))
    }
    return rows
  }
}
