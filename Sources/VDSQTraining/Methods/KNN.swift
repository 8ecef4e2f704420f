import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// The retrieval baseline.
  package static let knn = Self(
    summary: "k nearest neighbours"
  ) { (examples, context, progress) throws(VDSQError) in
    try NearestNeighbors(kernels: context.kernels).train(
      TrainingSet(examples, anchors: context.anchors), modelIdentity: context.modelIdentity,
      progress: progress)
  }
}
