package import VDSQSemantics

/// The input of estimators: features and labels of examples, and label anchors with the same
/// columns.
package struct TrainingSet {
  package let features: FeatureMatrix
  /// The label of each row.
  package let targets: [Int]
  /// The unit vectors of the labels' words.
  package let anchors: LabelSet

  /// - Precondition: a target a row, and anchors of as many columns.
  package init(_ features: FeatureMatrix, targets: [Int], anchors: LabelSet) {
    precondition(features.rows == targets.count && features.columns == anchors.dimensions)
    self.features = features
    self.targets = targets
    self.anchors = anchors
  }

  package init(_ examples: Examples, anchors: LabelSet) {
    self.init(examples.features, targets: examples.targets, anchors: anchors)
  }

  package var count: Int { targets.count }
  package var columns: Int { features.columns }

  /// Statistics of some of the examples.
  ///
  /// - Parameter hasScatter: whether to compute the products of deviations, which take time.
  package func statistics(
    of members: [Int], hasScatter: Bool, _ arithmetic: MatrixArithmetic
  ) -> ClassStatistics {
    ClassStatistics(
      features, targets, members: members, labels: anchors.count, hasScatter: hasScatter,
      arithmetic)
  }

  /// The prior of class means under the statistics of some of the examples.
  package func prior(_ statistics: ClassStatistics) -> AnchorPrior {
    AnchorPrior(anchors, statistics, vectorColumns: features.layout.blockSize)
  }

  /// The model's vector and the first intermediate features alone; anchors are scaled to length 1
  /// again.
  package func prefix(features count: Int) -> TrainingSet {
    guard count < features.layout.intermediateFeatures.count else { return self }
    let cut = features.prefix(features: count)
    return TrainingSet(cut, targets: targets, anchors: anchors.prefix(cut.columns))
  }

  /// Scales intermediate features to the mean length of the model's vectors, which need not be 1.
  ///
  /// - Returns: the set, and the factor of the features.
  package func balanced() -> (set: TrainingSet, featureScale: Float) {
    let scale = features.vectorLength
    return (
      TrainingSet(features.scalingFeatures(by: scale), targets: targets, anchors: anchors), scale
    )
  }

  /// The examples that take part in a selection: a limited number, evenly spread, because a file
  /// may be sorted by label.
  package func spread(atMost limit: Int) -> [Int] {
    let count = min(targets.count, limit)
    return (0..<count).map { $0 * targets.count / count }
  }
}
