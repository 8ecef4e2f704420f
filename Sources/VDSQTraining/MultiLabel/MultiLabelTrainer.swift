public import VDSQ
public import VDSQFormat
public import VDSQSemantics

/// Trains adapters that give a text any number of labels (`OneVsRest`).
///
///     let texts = try MultiLabelReader().read("mail.jsonl")
///     let adapter = try MultiLabelTrainer.adapter(model: model, texts: texts)
public enum MultiLabelTrainer {
  /// Encodes texts and trains.
  ///
  /// - Parameters:
  ///   - labels: all labels; empty for those of the texts.
  ///   - options: the method is ignored.
  ///   - report: called as the work goes on.
  /// - Throws: `badInput` if a text's label is not among the labels, or no text has one of them;
  ///   the errors of `TrainingPlan`.
  public static func adapter(
    model: Model, labels: [Label] = [], texts: [MultiLabelText],
    options: TrainingOptions = TrainingOptions(),
    report: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> Adapter {
    guard options.unlabelledTexts.isEmpty else {
      throw .usage("several labels are learned from labelled texts alone", .unlabelledTexts)
    }
    let labels =
      labels.isEmpty ? MultiLabelText.labels(of: texts).map { Label(name: $0) } : labels
    let has = try MultiLabelText.membership(of: texts, among: labels.map(\.name))
    guard let first = labels.first else { throw .badInput("no text has a label") }
    var options = options
    (options.method, options.allowsFinetuning) = (.prior, false)
    let examples = texts.map { $0.example(of: first.name) }
    let trainer = try FewShotTrainer(
      try TrainingPlan(
        model: model, labels: labels, examples: examples, options: options, report: report))
    let encoded = try trainer.encode(examples, report: report)
    return try OneVsRest(
      features: encoded.features, has: has, anchors: trainer.anchors,
      arithmetic: trainer.encoder.arithmetic
    ).train(
      modelIdentity: trainer.encoder.container.identity,
      progress: ProgressSpan { report(.trained($0)) })
  }
}
