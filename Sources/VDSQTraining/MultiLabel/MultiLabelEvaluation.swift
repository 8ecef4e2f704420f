package import VDSQ
package import VDSQFormat
import VDSQInference
package import VDSQSemantics

/// How well the labels of texts are found by an adapter that gives a text any number of them.
public struct MultiLabelEvaluation: Sendable {
  /// The labels.
  public let names: [String]
  /// The number of texts.
  public let count: Int
  /// The number of texts that got exactly their labels.
  public let exact: Int
  /// Precision, recall and F1 of each label, and their means over all labels.
  public let report: ClassificationReport
  /// Precision, recall and F1 over all pairs of a text and a label.
  public let micro: ClassificationReport.Scores

  /// The share of texts that got exactly their labels, from 0 to 1.
  public var subsetAccuracy: Double { Double(exact) / Double(max(1, count)) }
  /// The 95% confidence interval of the subset accuracy over texts (Wilson's score interval).
  public var interval: ClosedRange<Double> { ScoreInterval.ofShare(exact, of: count) }

  /// - Parameters:
  ///   - has: whether each text has a label, `[labels][texts]`.
  ///   - given: whether each text got it.
  package init(names: [String], has: [[Bool]], given: [[Bool]]) {
    let count = has.first?.count ?? 0
    var labels: [ClassificationReport.Scores] = []
    var (right, all, support) = (0, 0, [Int]())
    var isExact = [Bool](repeating: true, count: count)
    for (has, given) in zip(has, given) {
      let both = zip(has, given).count { $0 && $1 }
      let (own, got) = (has.count { $0 }, given.count { $0 })
      labels.append(ClassificationReport.Scores(right: both, given: got, support: own))
      support.append(own)
      right += both
      all += got
      for i in 0..<count where has[i] != given[i] { isExact[i] = false }
    }
    self.names = names
    self.count = count
    exact = isExact.count { $0 }
    report = ClassificationReport(labels: labels, support: support)
    micro = ClassificationReport.Scores(
      right: right, given: all, support: support.reduce(0, +))
  }

  /// Evaluates an adapter on texts.
  ///
  /// - Parameters:
  ///   - options: how the model is run. The method is ignored.
  ///   - report: called as texts pass through the model.
  /// - Throws: `usage` if the adapter chooses one label; `badInput` if a text's label is not among
  ///   the adapter's; the errors of opening the model.
  package init(
    of adapter: Adapter, _ texts: [MultiLabelText], model: Model, options: TrainingOptions,
    report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) {
    guard let thresholds = adapter.thresholds else {
      throw .usage("the adapter chooses one label of a text; train one with several labels")
    }
    let names = adapter.labels.names
    let has = try MultiLabelText.membership(of: texts, among: names)
    let adapted = try AdaptedExamples(
      encoding: texts.map { $0.example(of: names[0]) }, adapter: adapter, model: model,
      options: options, report: report)
    var given = has.map { $0.map { _ in false } }
    var scores = adapted.classifier.makeScores()
    for text in texts.indices {
      adapted.classifier.classify(adapted.examples.features, row: text, into: &scores)
      for label in names.indices {
        given[label][text] = scores.probabilities[label] >= thresholds[label]
      }
    }
    self.init(names: names, has: has, given: given)
  }
}
