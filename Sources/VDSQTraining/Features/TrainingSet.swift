import VDSQInference
import VDSQKernels
import VDSQSemantics

/// What estimators learn from: examples' features and labels, and the labels' anchors of the same
/// columns.
struct TrainingSet {
  let features: FeatureMatrix
  /// Each row's label.
  let targets: [Int]
  /// The unit vectors of the labels' words.
  let anchors: LabelSet

  /// - Precondition: a target a row, and anchors of as many columns.
  init(_ features: FeatureMatrix, targets: [Int], anchors: LabelSet) {
    precondition(features.rows == targets.count && features.columns == anchors.dimensions)
    self.features = features
    self.targets = targets
    self.anchors = anchors
  }

  init(_ examples: Examples, anchors: LabelSet) {
    self.init(examples.features, targets: examples.targets, anchors: anchors)
  }

  var count: Int { targets.count }
  var columns: Int { features.columns }

  /// Statistics of some of the examples.
  ///
  /// - Parameter hasScatter: whether products of deviations are wanted too, which take time.
  func statistics(
    of members: [Int], hasScatter: Bool, _ kernels: KernelTable
  ) -> ClassStatistics {
    var statistics = ClassStatistics(
      labels: anchors.count, dimensions: columns, hasScatter: hasScatter)
    for example in members {
      features.withRow(example) { statistics.add($0, targets[example], kernels) }
    }
    return statistics
  }

  /// The model's vector and the first intermediate features alone; anchors are scaled to length 1
  /// again.
  func prefix(features count: Int) -> TrainingSet {
    guard count < features.layout.intermediateFeatures.count else { return self }
    let cut = features.prefix(features: count)
    return TrainingSet(cut, targets: targets, anchors: anchors.prefix(cut.columns))
  }

  /// Intermediate features as long as the model's vectors are on average, which need not be of
  /// length 1.
  ///
  /// - Returns: also what features were multiplied by.
  func balanced() -> (set: TrainingSet, featureScale: Float) {
    let scale = features.vectorLength
    return (
      TrainingSet(features.scalingFeatures(by: scale), targets: targets, anchors: anchors), scale
    )
  }

  /// As many of the examples as a choice needs, spread over all of them: a file may be sorted by
  /// label.
  func spread(atMost limit: Int) -> [Int] {
    let count = min(targets.count, limit)
    return (0..<count).map { $0 * targets.count / count }
  }
}
