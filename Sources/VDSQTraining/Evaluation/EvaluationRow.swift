/// The evaluation of one number of examples per label over several seeds, or of one adapter.
public struct EvaluationRow: Sendable {
  /// Examples of each label that were trained on, 0 for the label words alone; nil for an adapter
  /// that was trained elsewhere.
  public let shots: Int?
  /// `zero-shot`, the training method's name, `adapter`, or `head` for the model's own head.
  public let method: String
  /// The labels, in the order of rows and columns of `confusion`.
  public let names: [String]
  /// One per seed, and at least one.
  public let evaluations: [Evaluation]

  package init(shots: Int?, method: String, names: [String], evaluations: [Evaluation]) {
    self.shots = shots
    self.method = method
    self.names = names
    self.evaluations = evaluations
  }

  /// Evaluates an adapter on texts that its model encoded.
  ///
  /// - Parameter method: the name of what takes the adapter's place.
  package init(of adapted: AdaptedExamples, method: String = "adapter") {
    self.init(
      shots: nil, method: method, names: adapted.classifier.labels.names,
      evaluations: [
        Evaluation(
          of: adapted.classifier, features: adapted.examples.features,
          targets: adapted.examples.targets)
      ])
  }

  /// The accuracy over seeds, from 0 to 1.
  public var accuracy: Spread { Spread(evaluations.map(\.accuracy)) }

  /// The 95% confidence interval of the accuracy, within 0 to 1: over seeds (Student's t), for
  /// these texts; for one seed over texts (Wilson's score interval).
  public var accuracyInterval: ClosedRange<Double> {
    guard evaluations.count == 1 else { return accuracy.interval }
    return ScoreInterval.ofShare(evaluations[0].right, of: evaluations[0].count)
  }

  /// The mean over seeds of `Evaluation.report`.
  public var report: ClassificationReport { ClassificationReport(mean: evaluations.map(\.report)) }

  /// The answers of all seeds by their probability.
  public var reliability: [ReliabilityBin] {
    evaluations.dropFirst().reduce(evaluations[0].reliability) { sum, next in
      zip(sum, next.reliability).map { $0 + $1 }
    }
  }

  /// The mean over seeds of `Evaluation.macroF1`, from 0 to 1.
  public var macroF1: Double { Spread(evaluations.map(\.macroF1)).mean }

  /// The mean over seeds of `Evaluation.calibrationError`, from 0 to 1.
  public var calibrationError: Double { Spread(evaluations.map(\.calibrationError)).mean }

  /// `[labels][labels]`: the number of texts of a label (row) that got another label (column),
  /// summed over seeds.
  public var confusion: [[Int]] {
    names.indices.map { row in
      names.indices.map { column in
        evaluations.reduce(0) { $0 + $1.confusion[row * names.count + column] }
      }
    }
  }
}
