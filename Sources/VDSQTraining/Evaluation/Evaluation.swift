package import VDSQSemantics

/// The answers of a classifier to labelled texts, and how good they are.
public struct Evaluation: Sendable {
  /// The answer to one text.
  public struct Answer: Sendable, Equatable {
    /// The index of the text's label.
    public let target: Int
    /// The index of the most probable label.
    public let predicted: Int
    /// The probability of the most probable label, from 0 to 1.
    public let probability: Float
    /// The probability of the text's label, from 0 to 1.
    public let targetProbability: Float

    /// Whether the most probable label is the text's.
    public var isRight: Bool { target == predicted }

    package init(target: Int, predicted: Int, probability: Float, targetProbability: Float) {
      (self.target, self.predicted) = (target, predicted)
      (self.probability, self.targetProbability) = (probability, targetProbability)
    }
  }

  /// One for each text, in the order of the texts.
  public let answers: [Answer]
  /// The number of labels.
  public let labels: Int
  /// `[labels, labels]`: the number of texts of a label (row) that got another label (column).
  public let confusion: [Int]
  /// The answers by their probability: bins of equal width from 0 to 1.
  public let reliability: [ReliabilityBin]

  /// The number of texts that were classified.
  public var count: Int { answers.count }

  /// The number of texts whose most probable label is theirs.
  public var right: Int { answers.count { $0.isRight } }

  /// The share of right answers, from 0 to 1.
  public var accuracy: Double { Double(right) / Double(max(1, count)) }

  /// Precision, recall and F1 of each label, and their means.
  public var report: ClassificationReport { ClassificationReport(confusion: confusion, labels) }

  /// The mean of the F1 scores of the labels, from 0 to 1. A label that neither occurs nor is
  /// predicted does not count.
  public var macroF1: Double { report.macro.f1 }

  /// The expected calibration error (Naeini et al. 2015): the difference between the mean
  /// probability and the accuracy of a bin, weighted by its number of answers.
  public var calibrationError: Double { reliability.calibrationError }

  /// - Parameter labels: the number of labels; all indices are below it.
  package init(answers: [Answer], labels: Int) {
    self.answers = answers
    self.labels = labels
    var confusion = [Int](repeating: 0, count: labels * labels)
    for answer in answers { confusion[answer.target * labels + answer.predicted] += 1 }
    self.confusion = confusion
    reliability = ReliabilityBin.bins(of: answers)
  }

  /// Evaluates a classifier on states that have at least its dimensions.
  ///
  /// - Parameters:
  ///   - features: the states. The classifier reads the first columns.
  ///   - targets: the label of each row.
  package init(of classifier: Classifier, features: FeatureMatrix, targets: [Int]) {
    var scores = classifier.makeScores()
    let answers = targets.enumerated().map { i, target in
      classifier.classify(features, row: i, into: &scores)
      return Answer(
        target: target, predicted: scores.best, probability: scores.probabilities[scores.best],
        targetProbability: scores.probabilities[target])
    }
    self.init(answers: answers, labels: classifier.labels.count)
  }
}
