import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// Linear discriminant analysis alone, of the model's vector alone.
  package static let prior = Self(
    summary: "linear discriminant analysis alone", usesUnlabelledTexts: true
  ) { (examples, context, progress) throws(VDSQError) in
    let set = TrainingSet(examples, anchors: context.anchors)
    if set.count == 0, let unlabelled = context.unlabelled {
      return try context.adapter(of: set.anchors, from: unlabelled)
    }
    let discriminant = try LinearDiscriminant(context.arithmetic).select(
      set, progress: progress)
    return discriminant.adapter(
      try discriminant.head(
        context.unlabelled, refused: { context.report(.unlabelledTextsRefused($0)) }),
      modelIdentity: context.modelIdentity)
  }
}
