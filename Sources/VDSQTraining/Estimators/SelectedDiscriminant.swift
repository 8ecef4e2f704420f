package import VDSQFormat
package import VDSQSemantics

/// Linear discriminant analysis with the hyperparameters and features that were selected.
package struct SelectedDiscriminant {
  /// The examples with the selected features, balanced.
  package let set: TrainingSet
  /// The indices of the examples that took part in the selection.
  package let members: [Int]
  package let choice: LinearDiscriminant.Choice
  /// The factor of intermediate features that balances them with the vector.
  package let featureScale: Float
  package let arithmetic: MatrixArithmetic

  /// A head that is trained on some of the examples.
  ///
  /// - Throws: `internalFault` if states are not finite.
  package func head(_ training: [Int]) throws(VDSQError) -> LinearHead {
    try GaussianClasses(set, training, priorCount: choice.priorCount, arithmetic)
      .linearHead(shrinkageCount: choice.shrinkageCount, arithmetic)
      .scaled(by: choice.logitScale)
  }

  /// A head that is trained on all examples.
  package func head() throws(VDSQError) -> LinearHead { try head(Array(set.targets.indices)) }

  /// A head that is trained on all examples, and on texts without labels.
  ///
  /// - Parameters:
  ///   - unlabelled: the states of the texts with all features; nil for none.
  ///   - refused: called if the texts are refused.
  package func head(
    _ unlabelled: FeatureMatrix?, refused: (UnlabelledRefusal) -> Void
  ) throws(VDSQError) -> LinearHead {
    let own = try head()
    guard let unlabelled else { return own }
    let texts = unlabelled.prefix(features: set.features.layout.intermediateFeatures.count)
      .scalingFeatures(by: featureScale)
    let labelled = set.statistics(of: Array(set.targets.indices), hasScatter: true, arithmetic)
    switch try SemiSupervisedDiscriminant(set.anchors, texts: texts, arithmetic).head(
      labelled, set.prior(labelled), start: own, priorCount: choice.priorCount)
    {
    case .head(let head): return head
    case .refused(let reason):
      refused(reason)
      return own
    }
  }

  /// An adapter with a head over the balanced features.
  ///
  /// - Parameter votes: the solution of kernel ridge regression to add; nil for none.
  package func adapter(
    _ linear: LinearHead, _ votes: RBFVotes? = nil, modelIdentity: UInt32
  ) -> Adapter {
    // The factor of the intermediate features moves into the weights.
    let layout = set.features.layout
    let weights = linear.weights.enumerated().map { i, weight in
      weight * (i % layout.columns < layout.blockSize ? 1 : featureScale)
    }
    let linear = LinearHead(weights: weights, bias: linear.bias)
    return Adapter(
      labels: set.anchors, intermediateFeatures: layout.intermediateFeatures,
      head: votes.map { .rbf(RBFHead(linear: linear, votes: $0)) } ?? .linear(linear),
      modelIdentity: modelIdentity)
  }
}
