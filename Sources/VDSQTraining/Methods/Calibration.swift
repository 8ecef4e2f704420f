import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// The paper's semantic calibration (arXiv 2401.16184).
  static let calibration = Self(
    summary: "the paper's semantic calibration, of rank 64"
  ) { (examples, context, report) throws(VDSQError) in
    try calibrate(examples, context, rank: 0, report)
  }

  /// The same with a smaller module.
  static let lowRank = Self(
    summary: "the same of rank 8"
  ) { (examples, context, report) throws(VDSQError) in
    try calibrate(examples, context, rank: 8, report)
  }

  private static func calibrate(
    _ examples: Examples, _ context: TrainingContext, rank: Int, _ report: (Double) -> Void
  ) throws(VDSQError) -> Adapter {
    var options = SemanticCalibration.Options()
    options.seed = context.seed
    options.rank = rank
    return try SemanticCalibration(options: options, kernels: context.kernels).train(
      states: examples.states, targets: examples.targets, labels: context.anchors,
      modelIdentity: context.modelIdentity, report: report)
  }
}
