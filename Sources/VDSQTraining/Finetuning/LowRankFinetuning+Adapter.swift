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
  /// examples, a fifth of them is held out first to choose the number of steps and the temperature,
  /// and the others' result is trained on with all.
  ///
  /// - Parameters:
  ///   - labels: the labels' anchors.
  ///   - announce: called with the expected seconds, before most of the work.
  /// - Throws: the errors of `train`.
  package func adapter(
    _ examples: Examples, labels: LabelSet, announce: @escaping (Double) -> Void = { _ in },
    progress: ProgressSpan = .silent
  ) throws(VDSQError) -> Adapter {
    let inputs = try inputs(examples.texts)
    guard examples.targets.count >= Constants.examplesPerLabel * labels.count,
      let fold = Self.fold(examples, labels)
    else {
      return try adapter(examples, labels, inputs, nil, progress, announce)
    }
    let trial = try trial(
      examples, labels, inputs, fold, announce, progress.part(from: 0, to: 0.8))
    return try adapter(
      examples, labels, inputs, trial, progress.part(from: 0.8, to: 1))
  }

  /// The same. Nil if held-out examples are less likely than under another method.
  ///
  /// - Parameter other: trains an adapter by the other method on some examples.
  package func adapter(
    _ examples: Examples, labels: LabelSet,
    unlessLessLikelyThan other: (Examples) throws(VDSQError) -> Adapter,
    announce: @escaping (Double) -> Void = { _ in }, progress: ProgressSpan = .silent
  ) throws(VDSQError) -> Adapter? {
    guard let fold = Self.fold(examples, labels) else { return nil }
    let learned = try other(examples.subset(fold.training))
    let classifier = try Classifier(adapter: learned, kernels: encoder.kernels)
    var scores = classifier.makeScores()
    var others = 0.0
    for example in fold.heldOut {
      classifier.classify(examples.features, row: example, into: &scores)
      others += Double(LogLikelihood.of(scores.probabilities[examples.targets[example]]))
    }
    let inputs = try inputs(examples.texts)
    let trial = try trial(
      examples, labels, inputs, fold, announce, progress.part(from: 0, to: 0.8))
    guard trial.logLikelihood > others else { return nil }
    return try adapter(
      examples, labels, inputs, trial, progress.part(from: 0.8, to: 1))
  }

  /// A fifth of the examples, held out; nil if a label has a single one.
  private static func fold(_ examples: Examples, _ labels: LabelSet) -> CrossValidation.Fold? {
    CrossValidation(
      targets: examples.targets, labels: labels.count, folds: Constants.folds)?.folds.first
  }

  /// - Parameter trial: the trial to go on from; nil for none.
  private func adapter(
    _ examples: Examples, _ labels: LabelSet, _ inputs: LayerInputs, _ trial: Trial?,
    _ progress: ProgressSpan, _ announce: (Double) -> Void = { _ in }
  ) throws(VDSQError) -> Adapter {
    let all = Array(examples.targets.indices)
    let head = if let trial { trial.head } else { try start(examples, all, labels) }
    let steps = trial == nil ? steps(for: inputs.lengths) : more(inputs)
    let tuned = try train(
      inputs, all, examples.targets, from: head,
      resuming: trial?.values, steps: steps,
      announce: { announce($0 * Double(steps)) }, progress: progress)
    return Adapter(
      labels: labels.prefix(examples.features.layout.blockSize), updates: tuned.updates,
      temperature: trial?.temperature ?? 1, head: .linear(tuned.head),
      modelIdentity: encoder.container.identity)
  }

  /// The number of steps on all examples after a trial.
  private func more(_ inputs: LayerInputs) -> Int {
    max(1, Int((Double(steps(for: inputs.lengths)) * Constants.moreSteps).rounded()))
  }

  /// The head of linear discriminant analysis over the model's own vectors.
  private func start(
    _ examples: Examples, _ members: [Int], _ labels: LabelSet
  ) throws(VDSQError) -> LinearHead {
    let chosen = examples.subset(members)
    let vectors = TrainingSet(
      chosen.features.prefix(features: 0), targets: chosen.targets,
      anchors: labels.prefix(examples.features.layout.blockSize))
    return try LinearDiscriminant(encoder.arithmetic).select(vectors, progress: .silent).head()
  }

  /// What held-out examples say of training on the others.
  private struct Trial {
    /// The head and the values of the run after the step at which they are likeliest.
    let head: LinearHead
    let values: [Float]
    let temperature: Float
    /// Their log-likelihood at the temperature.
    let logLikelihood: Double
  }

  private func trial(
    _ examples: Examples, _ labels: LabelSet, _ inputs: LayerInputs, _ fold: CrossValidation.Fold,
    _ announce: @escaping (Double) -> Void, _ progress: ProgressSpan
  ) throws(VDSQError) -> Trial {
    // Each text is seen equally often, whether all or some are used for training, so that steps and
    // temperature hold for all.
    let steps = max(1, steps(for: inputs.lengths) * fold.training.count / examples.targets.count)
    let targets = fold.heldOut.map { examples.targets[$0] }
    // Not all, because each look takes as long as some steps.
    let looked = fold.heldOut.evenly(atMost: Constants.mostLookedAt)
    let lookedTargets = looked.map { examples.targets[$0] }
    let kernels = encoder.kernels
    let tuned = try train(
      inputs, fold.training, examples.targets,
      from: try start(examples, fold.training, labels), steps: steps,
      heldOut: HeldOut(members: looked) { Self.best(lookedTargets, $0, kernels).believed },
      announce: { announce($0 * Double(steps + more(inputs))) }, progress: progress)
    // As they will run: one text at a time.
    var options = encoder.options
    options.intermediateFeatures = []
    options.updates = tuned.updates
    options.batch = 1
    options.keepsThreadsBusy = false
    let encoder = try TextEncoder(encoder.container, options: options)
    var states: [Float] = []
    for example in fold.heldOut { states += try encoder.vector(of: examples.texts[example]) }
    let best = Self.best(targets, tuned.head.logits(states, encoder.arithmetic), kernels)
    return Trial(
      head: tuned.head, values: tuned.values, temperature: best.temperature,
      logLikelihood: best.logLikelihood)
  }

  /// The most probable temperature of logits, the log-likelihood of the targets at it, and the same
  /// with the prior of the temperature.
  private static func best(
    _ targets: [Int], _ logits: [Float], _ kernels: KernelTable
  ) -> (temperature: Float, logLikelihood: Double, believed: Double) {
    var best = (temperature: Float(1), logLikelihood: 0.0, believed: -Double.infinity)
    for temperature in Constants.temperatures {
      let found = LogLikelihood.of(targets, logits: logits, temperature: temperature, kernels)
      let believed = found + logPrior(temperature: temperature)
      if believed > best.believed { best = (temperature, found, believed) }
    }
    return best
  }
}
