import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// Linear discriminant analysis of the model's vector alone.
  static let prior = Self(
    summary: "the first alone"
  ) { (examples, context, report) throws(VDSQError) in
    try LabelPrior(kernels: context.kernels, joinsRegression: false).train(
      states: examples.states, targets: examples.targets, labels: context.anchors,
      modelIdentity: context.modelIdentity, report: report)
  }
}
