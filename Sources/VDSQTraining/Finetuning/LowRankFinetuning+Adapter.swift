import Glibc
package import VDSQFormat
import VDSQInference
import VDSQKernels
package import VDSQSemantics

extension LowRankFinetuning {
  private typealias Constants = Hyperparameters.Finetuning

  /// The logarithm of the prior of a temperature, up to a constant.
  private static func logPrior(temperature: Float) -> Double {
    -Double(abs(log2f(temperature / Constants.expectedTemperature)))
  }

  /// Whether the model can be finetuned, and there are enough examples for a gain over frozen
  /// states.
  package static func isWorthTrying(_ targets: [Int], labels: Int, of model: Container) -> Bool {
    var counts = [Int](repeating: 0, count: labels)
    for target in targets { counts[target] += 1 }
    return counts.allSatisfy { $0 >= Constants.worthTrying }
      && (try? architecture(of: model)) != nil
  }

  /// Finetunes, starting with the head of linear discriminant analysis. If there are enough
  /// examples, a fifth of them is held out first to choose the temperature.
  ///
  /// - Parameter labels: the labels' anchors.
  /// - Throws: the errors of `train`.
  package func adapter(
    _ examples: Examples, labels: LabelSet, progress: ProgressSpan = .silent
  ) throws(VDSQError) -> Adapter {
    guard examples.targets.count >= Constants.examplesPerLabel * labels.count,
      let holdout = Self.holdout(examples, labels)
    else { return try adapter(examples, labels, temperature: 1, progress) }
    let chosen = try score(examples, labels, holdout, progress.part(from: 0, to: 0.45))
    return try adapter(
      examples, labels, temperature: chosen.temperature, progress.part(from: 0.45, to: 1))
  }

  /// The same. Nil if held-out examples are clearly less likely than under another method.
  ///
  /// - Parameter other: trains an adapter by the other method on some examples.
  package func adapter(
    _ examples: Examples, labels: LabelSet,
    unlessLessLikelyThan other: (Examples) throws(VDSQError) -> Adapter,
    progress: ProgressSpan = .silent
  ) throws(VDSQError) -> Adapter? {
    guard let holdout = Self.holdout(examples, labels) else { return nil }
    let others = try holdout.score(
      examples.targets, labels: labels.count, candidates: 1, .probabilities
    ) { (fold, evaluate, _) throws(VDSQError) in
      let learned = try other(examples.subset(fold.training))
      let classifier = try Classifier(adapter: learned, kernels: encoder.kernels)
      var scores = classifier.makeScores()
      try evaluate(0) { example, probabilities in
        classifier.classify(examples.features, row: example, into: &scores)
        probabilities = scores.probabilities
      }
    }
    let own = try score(examples, labels, holdout, progress.part(from: 0, to: 0.45))
    guard own.score > others.best.score - Constants.allowance else { return nil }
    return try adapter(
      examples, labels, temperature: own.temperature, progress.part(from: 0.45, to: 1))
  }

  /// A fifth of the examples; nil if a label has a single one.
  private static func holdout(_ examples: Examples, _ labels: LabelSet) -> CrossValidation? {
    CrossValidation(
      targets: examples.targets, labels: labels.count, folds: Constants.folds)?.holdout
  }

  private func adapter(
    _ examples: Examples, _ labels: LabelSet, temperature: Float, _ progress: ProgressSpan
  ) throws(VDSQError) -> Adapter {
    let tuned = try train(examples, Array(examples.targets.indices), labels, progress)
    return Adapter(
      labels: labels.prefix(examples.features.layout.blockSize), updates: tuned.updates,
      temperature: temperature, head: .linear(tuned.head),
      modelIdentity: encoder.container.identity)
  }

  private func train(
    _ examples: Examples, _ members: [Int], _ labels: LabelSet, _ progress: ProgressSpan
  ) throws(VDSQError) -> Result {
    let chosen = examples.subset(members)
    let vectors = TrainingSet(
      chosen.features.prefix(features: 0), targets: chosen.targets,
      anchors: labels.prefix(examples.features.layout.blockSize))
    let start = try LinearDiscriminant(encoder.arithmetic).select(vectors, progress: .silent)
      .head()
    // Each text is seen equally often, whether all or some are used for training, so that the
    // temperature holds for all.
    let lengths = examples.texts.map { encoder.tokens(of: $0).count }
    let steps = steps(for: lengths) * members.count / lengths.count
    return try train(
      chosen.texts, chosen.targets, from: start, steps: max(1, steps), progress: progress)
  }

  /// The temperature that maximises held-out likelihood, and the log-likelihood at it.
  private func score(
    _ examples: Examples, _ labels: LabelSet, _ holdout: CrossValidation, _ progress: ProgressSpan
  ) throws(VDSQError) -> (temperature: Float, score: Double) {
    let temperatures = Constants.temperatures
    let table = try holdout.score(
      examples.targets, labels: labels.count, candidates: 1,
      .logits(temperatures: temperatures, encoder.kernels), progress: progress
    ) { (fold, evaluate, progress) throws(VDSQError) in
      let tuned = try train(examples, fold.training, labels, progress)
      // One text at a time, as it will run.
      var options = encoder.options
      options.intermediateFeatures = []
      options.updates = tuned.updates
      options.batch = 1
      options.keepsThreadsBusy = false
      let encoder = try TextEncoder(encoder.container, options: options)
      try evaluate(0) { (example, logits) throws(VDSQError) in
        tuned.head.logits(
          try encoder.vector(of: examples.texts[example]), encoder.kernels, into: &logits)
      }
    }
    var believed = table
    believed.addLogPrior { Self.logPrior(temperature: temperatures[$1]) }
    let best = believed.best.temperature
    return (temperatures[best], table.sums[best])
  }
}
