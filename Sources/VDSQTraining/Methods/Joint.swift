import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// Linear discriminant analysis stacked with logistic regression and kernel ridge regression, or finetuning
  /// in their place where there are many examples and held-out ones are not against it.
  static let joint = Self(
    summary: """
      linear discriminant analysis with the labels' words as its prior, joined by \
      lower layers and logistic regression where held-out examples like them; from 32 examples of each label on it \
      finetunes, for minutes, unless held-out examples are clearly against that
      """, usesIntermediateFeatures: true, finetuning: .whereWorthwhile
  ) { (examples, context, report) throws(VDSQError) in
    if context.allowsFinetuning,
      LowRankFinetuning.isWorthTrying(
        examples.targets, labels: context.anchors.count, of: context.encoder.container),
      let tuned = try context.finetuning.adapter(
        examples, labels: context.anchors,
        unlessLessLikelyThan: { (some) throws(VDSQError) in
          try frozen.train(some, context, report)
        }, report: report)
    {
      return tuned
    }
    return try frozen.train(examples, context, report)
  }
}
