import VDSQFormat
import VDSQInference
import VDSQSemantics

extension TrainingMethod.Definition {
  /// Linear discriminant analysis stacked with logistic regression and kernel ridge regression.
  /// With many examples, finetuning replaces them unless held-out examples are less likely
  /// under it.
  package static let joint = Self(
    summary: """
      linear discriminant analysis with the label words as prior, stacked with logistic regression \
      and kernel ridge regression; with 32 examples of every label it also tries finetuning, which \
      takes longer
      """, usesIntermediateFeatures: true, usesUnlabelledTexts: true, finetuning: .whereWorthwhile
  ) { (examples, context, progress) throws(VDSQError) in
    if context.allowsFinetuning,
      LowRankFinetuning.isWorthTrying(
        examples.targets, labels: context.anchors.count, of: context.encoder.container),
      let tuned = try context.finetuning.adapter(
        examples, labels: context.anchors,
        unlessLessLikelyThan: { (some) throws(VDSQError) in
          try frozen.train(some, context, progress)
        }, announce: context.announce(examples), progress: progress)
    {
      return tuned
    }
    return try frozen.train(examples, context, progress)
  }
}
