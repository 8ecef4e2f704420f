import Glibc
public import VDSQFormat
public import VDSQKernels
public import VDSQSemantics

/// How much an example's label asks to be looked at again.
///
/// A text at the border of its label's region may as well be another's. The probability of
/// reconsideration falls exponentially with the distance to that border, measured in log-odds, in
/// which borders of linear logits are planes: `exp(-log(p_label / p_other))`, and 1 for a text on
/// the other side.
public struct Reconsideration: Sendable {
  /// The example's index.
  public let example: Int
  /// The label that the text's state is nearest to, other than its own.
  public let other: Int
  /// From 0 to 1.
  public let probability: Float
  /// `log(p_label / p_other)`, in nats; below 0 on the other side.
  public let distance: Float

  /// Examples under an adapter that others made, most doubtful first.
  public static func list(_ examples: Examples, classifier: Classifier) -> [Reconsideration] {
    sorted(examples.targets.indices.map { Reconsideration(examples, $0, classifier: classifier) })
  }

  /// Examples under what the others teach, each held out in turn, most doubtful first: a wrong
  /// label must not speak for itself.
  ///
  /// - Parameter train: makes an adapter of some of the examples.
  /// - Throws: `usage` where there are fewer than two labels, or one has a single example; what
  ///   `train` throws.
  public static func list(
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
