/// Precision, recall and F1 of each label with their means, as `classification_report` of
/// scikit-learn computes them.
public struct ClassificationReport: Sendable, Equatable {
  /// How well a label is found. All are from 0 to 1.
  public struct Scores: Sendable, Equatable {
    /// The share of the answers with the label that are right; 0 if no answer has it.
    public let precision: Double
    /// The share of the texts with the label that got it; 0 if no text has it.
    public let recall: Double
    /// The harmonic mean of precision and recall.
    public let f1: Double

    /// - Parameters:
    ///   - right: texts that have the label and got it.
    ///   - given: texts that got the label.
    ///   - support: texts that have the label.
    init(right: Int, given: Int, support: Int) {
      precision = Double(right) / Double(max(1, given))
      recall = Double(right) / Double(max(1, support))
      f1 = 2 * Double(right) / Double(max(1, given + support))
    }

    /// The weighted mean; zeros if there are no weights.
    init(mean scores: [(scores: Scores, weight: Double)]) {
      let total = scores.reduce(0) { $0 + $1.weight }
      func mean(_ part: (Scores) -> Double) -> Double {
        total > 0 ? scores.reduce(0) { $0 + part($1.scores) * $1.weight } / total : 0
      }
      precision = mean(\.precision)
      recall = mean(\.recall)
      f1 = mean(\.f1)
    }
  }

  /// The scores of each label; nil for a label that no text has and no answer gives.
  public let labels: [Scores?]
  /// The number of texts of each label.
  public let support: [Int]
  /// The mean over the labels that have scores.
  public let macro: Scores
  /// The mean over the labels, weighted by their support.
  public let weighted: Scores

  /// - Parameter confusion: `[count, count]`, true labels by rows.
  init(confusion: [Int], _ count: Int) {
    var labels: [Scores?] = []
    var support: [Int] = []
    for label in 0..<count {
      let own = (0..<count).reduce(0) { $0 + confusion[label * count + $1] }
      let given = (0..<count).reduce(0) { $0 + confusion[$1 * count + label] }
      labels.append(
        own + given > 0
          ? Scores(right: confusion[label * count + label], given: given, support: own) : nil)
      support.append(own)
    }
    self.init(labels: labels, support: support)
  }

  init(labels: [Scores?], support: [Int]) {
    self.labels = labels
    self.support = support
    macro = Scores(mean: labels.compactMap { $0 }.map { ($0, 1) })
    weighted = Scores(
      mean: zip(labels, support).compactMap { scores, support in
        scores.map { ($0, Double(support)) }
      })
  }

  /// The mean of the reports of several draws of examples, about the same texts.
  ///
  /// - Precondition: at least one report.
  init(mean reports: [ClassificationReport]) {
    labels = reports[0].labels.indices.map { label in
      let known = reports.compactMap { $0.labels[label] }
      return known.isEmpty ? nil : Scores(mean: known.map { ($0, 1) })
    }
    support = reports[0].support
    macro = Scores(mean: reports.map { ($0.macro, 1) })
    weighted = Scores(mean: reports.map { ($0.weighted, 1) })
  }
}
