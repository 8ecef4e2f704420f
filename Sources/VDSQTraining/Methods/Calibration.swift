import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// The paper's semantic calibration (arXiv 2401.16184).
  package static let calibration = Self(
    summary: "the semantic calibration of arXiv 2401.16184, rank 64"
  ) { (examples, context, progress) throws(VDSQError) in
    try calibrate(examples, context, rank: Hyperparameters.Calibration.rank, progress)
  }

  /// The same with a smaller module.
  package static let lowRank = Self(
    summary: "calibration of rank 8"
  ) { (examples, context, progress) throws(VDSQError) in
    try calibrate(examples, context, rank: Hyperparameters.Calibration.lowRank, progress)
  }

  private static func calibrate(
    _ examples: Examples, _ context: TrainingContext, rank: Int, _ progress: ProgressSpan
  ) throws(VDSQError) -> Adapter {
    var options = SemanticCalibration.Options()
    options.seed = context.seed
    options.rank = rank
    return try SemanticCalibration(options: options, kernels: context.kernels).train(
      TrainingSet(examples, anchors: context.anchors), modelIdentity: context.modelIdentity,
      progress: progress)
  }
}
