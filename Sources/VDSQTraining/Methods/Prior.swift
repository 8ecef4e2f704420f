import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// Linear discriminant analysis alone, of the model's vector alone.
  package static let prior = Self(
    summary: "linear discriminant analysis alone"
  ) { (examples, context, progress) throws(VDSQError) in
    let discriminant = try LinearDiscriminant(context.arithmetic).select(
      TrainingSet(examples, anchors: context.anchors), progress: progress)
    return discriminant.adapter(
      try discriminant.head(), modelIdentity: context.modelIdentity)
  }
}
