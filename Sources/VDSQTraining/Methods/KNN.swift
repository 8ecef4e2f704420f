import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// The retrieval baseline.
  static let knn = Self(
    summary: "a vote of the closest examples"
  ) { (examples, context, report) throws(VDSQError) in
    try NearestNeighbors(kernels: context.kernels).train(
      states: examples.states, targets: examples.targets, labels: context.anchors,
      modelIdentity: context.modelIdentity, report: report)
  }
}
