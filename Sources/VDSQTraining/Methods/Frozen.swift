package import VDSQFormat
package import VDSQSemantics

extension TrainingMethod.Definition {
  /// What `joint` does without finetuning.
  package static let frozen = Self(
    summary: "joint without finetuning", usesIntermediateFeatures: true, usesUnlabelledTexts: true
  ) { (examples, context, progress) throws(VDSQError) in
    let set = TrainingSet(examples, anchors: context.anchors)
    if let regression = LabelWordRegression(set, arithmetic: context.arithmetic) {
      return Adapter(
        labels: set.anchors, head: .linear(try regression.train(progress: progress)),
        modelIdentity: context.modelIdentity)
    }
    if set.count == 0, let unlabelled = context.unlabelled {
      return try context.adapter(of: set.anchors, from: unlabelled)
    }
    let discriminant = try LinearDiscriminant(context.arithmetic).select(
      set, progress: progress.part(0, of: 2))
    let own = try discriminant.head(
      context.unlabelled, refused: { context.report(.unlabelledTextsRefused($0)) })
    guard let stack = StackedClassifier(discriminant) else {
      return discriminant.adapter(own, modelIdentity: context.modelIdentity)
    }
    let (linear, votes) = try stack.train(own: own, progress: progress.part(1, of: 2))
    return discriminant.adapter(linear, votes, modelIdentity: context.modelIdentity)
  }
}

extension TrainingContext {
  /// An adapter of label words and texts without labels alone, over the model's vector.
  package func adapter(
    of labels: LabelSet, from unlabelled: FeatureMatrix
  ) throws(VDSQError) -> Adapter {
    let texts = unlabelled.prefix(features: 0)
    let labels = labels.prefix(texts.columns)
    switch try SemiSupervisedDiscriminant(labels, texts: texts, arithmetic).head() {
    case .head(let head):
      return Adapter(labels: labels, head: .linear(head), modelIdentity: modelIdentity)
    case .refused(let reason):
      report(.unlabelledTextsRefused(reason))
      return Adapter(
        labels: labels, temperature: Classifier.defaultTemperature, head: nil,
        modelIdentity: modelIdentity)
    }
  }
}
