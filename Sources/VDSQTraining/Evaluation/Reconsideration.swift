import Glibc
package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

/// The probability that the label of an example should be reconsidered.
///
/// A text near the decision boundary of its label may belong to another label. The probability
/// falls exponentially with the distance to the boundary, measured in log-odds:
/// `exp(-log(p_label / p_other))`. It is 1 for a text on the other side.
package struct Reconsideration: Sendable {
  /// The example's index.
  package let example: Int
  /// The most probable label other than the given one.
  package let other: Int
  /// From 0 to 1.
  package let probability: Float
  /// `log(p_label / p_other)`, in nats; below 0 on the other side.
  package let distance: Float

  /// Reviews examples with an adapter that was trained on others, most doubtful first.
  package static func list(_ examples: Examples, classifier: Classifier) -> [Reconsideration] {
    sorted(examples.targets.indices.map { Reconsideration(examples, $0, classifier: classifier) })
  }

  /// Reviews examples with adapters that are trained on the others, each example held out in turn,
  /// most doubtful first. A wrong label must not confirm itself.
  ///
  /// - Parameter train: trains an adapter on some of the examples.
  /// - Throws: `usage` if there are fewer than two labels, or one has a single example; what
  ///   `train` throws.
  package static func list(
    _ examples: Examples, labels: LabelSet, kernels: KernelTable,
    train: (Examples) throws(VDSQError) -> Adapter
  ) throws(VDSQError) -> [Reconsideration] {
    guard labels.count > 1 else { throw .usage("a review needs at least two labels") }
    guard
      let validation = CrossValidation(
        targets: examples.targets, labels: labels.count, folds: Hyperparameters.folds)
    else {
      throw .usage(
        "a label has a single example, which cannot be held out; add one, or review with an adapter"
      )
    }
    var items: [Reconsideration] = []
    for fold in validation.folds {
      let adapter = try train(examples.subset(fold.training))
      let classifier = try Classifier(adapter: adapter, kernels: kernels)
      items += fold.heldOut.map { Reconsideration(examples, $0, classifier: classifier) }
    }
    return sorted(items)
  }

  private init(_ examples: Examples, _ example: Int, classifier: Classifier) {
    let target = examples.targets[example]
    let scores = classifier.scores(of: examples.features, row: example, top: 2)
    let other = scores.ranking.first { $0 != target } ?? target
    let distance =
      LogLikelihood.of(scores.probabilities[target])
      - LogLikelihood.of(scores.probabilities[other])
    self.example = example
    self.other = other
    self.distance = distance
    probability = min(1, expf(-distance))
  }

  private static func sorted(_ items: [Reconsideration]) -> [Reconsideration] {
    items.sorted { ($0.distance, $0.example) < ($1.distance, $1.example) }
  }
}
