package import VDSQSemantics

/// The accuracy of a classifier on labelled states.
public struct Evaluation: Sendable {
  /// `[labels, labels]`: the number of examples of a label (row) that got another label (column).
  public let confusion: [Int]
  /// The number of labels.
  public let labels: Int
  /// The expected calibration error over `bins` bins of probabilities (Naeini et al. 2015): the
  /// difference between the mean probability and the accuracy of a bin, weighted by its number of
  /// answers.
  public let calibrationError: Double

  private static let bins = 15

  /// The number of states that were classified.
  public var count: Int { confusion.reduce(0, +) }

  /// The share of right answers, from 0 to 1.
  public var accuracy: Double {
    let right = (0..<labels).reduce(0) { $0 + confusion[$1 * labels + $1] }
    return Double(right) / Double(max(1, count))
  }

  /// The mean of the F1 scores of the labels, from 0 to 1. A label that neither occurs nor is
  /// predicted does not count.
  public var macroF1: Double {
    var sum = 0.0
    var present = 0
    for label in 0..<labels {
      let right = confusion[label * labels + label]
      let actual = (0..<labels).reduce(0) { $0 + confusion[label * labels + $1] }
      let given = (0..<labels).reduce(0) { $0 + confusion[$1 * labels + label] }
      guard actual + given > 0 else { continue }
      present += 1
      sum += 2 * Double(right) / Double(actual + given)
    }
    return sum / Double(max(1, present))
  }

  /// Evaluates a classifier on states that have at least its dimensions.
  ///
  /// - Parameters:
  ///   - features: the states. The classifier reads the first columns.
  ///   - targets: the label of each row.
  package init(of classifier: Classifier, features: FeatureMatrix, targets: [Int]) {
    let labels = classifier.labels.count
    var confusion = [Int](repeating: 0, count: labels * labels)
    var sums = [(count: Int, right: Int, confidence: Double)](
      repeating: (0, 0, 0), count: Self.bins)
    var scores = classifier.makeScores()
    for (i, target) in targets.enumerated() {
      classifier.classify(features, row: i, into: &scores)
      let answer = scores.best
      confusion[target * labels + answer] += 1
      let probability = Double(scores.probabilities[answer])
      let bin = min(Self.bins - 1, max(0, Int(probability * Double(Self.bins))))
      sums[bin].count += 1
      sums[bin].right += answer == target ? 1 : 0
      sums[bin].confidence += probability
    }
    self.labels = labels
    self.confusion = confusion
    let total = Double(max(1, targets.count))
    calibrationError = sums.reduce(0) {
      $0 + (Double($1.right) - $1.confidence).magnitude / total
    }
  }
}
