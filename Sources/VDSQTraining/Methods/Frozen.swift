import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// What `joint` does without finetuning.
  static let frozen = Self(
    summary: "the same without finetuning", usesIntermediateFeatures: true
  ) { (examples, context, report) throws(VDSQError) in
    try LabelPrior(kernels: context.kernels, joinsRegression: true).train(
      states: examples.states, targets: examples.targets, labels: context.anchors,
      intermediateFeatures: context.encoder.intermediateFeatures,
      modelIdentity: context.modelIdentity, report: report)
  }
}
