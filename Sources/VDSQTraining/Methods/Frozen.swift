import VDSQFormat
import VDSQSemantics

extension TrainingMethod.Definition {
  /// What `joint` does without finetuning.
  package static let frozen = Self(
    summary: "joint without finetuning", usesIntermediateFeatures: true
  ) { (examples, context, progress) throws(VDSQError) in
    let set = TrainingSet(examples, anchors: context.anchors)
    if let regression = LabelWordRegression(set, arithmetic: context.arithmetic) {
      return Adapter(
        labels: set.anchors, head: .linear(try regression.train(progress: progress)),
        modelIdentity: context.modelIdentity)
    }
    let discriminant = try LinearDiscriminant(context.arithmetic).select(
      set, progress: progress.part(0, of: 2))
    guard let stack = StackedClassifier(discriminant) else {
      return discriminant.adapter(
        try discriminant.head(), modelIdentity: context.modelIdentity)
    }
    let (linear, votes) = try stack.train(progress: progress.part(1, of: 2))
    return discriminant.adapter(linear, votes, modelIdentity: context.modelIdentity)
  }
}
