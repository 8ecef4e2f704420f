import Glibc
public import VDSQFormat
import VDSQInference
import VDSQKernels
public import VDSQSemantics

extension LowRankFinetuning {
  /// So many examples of each label, at least, tell how sure answers may be.
  private static let fewest = 8
  private static let foldCount = 5
  private static let temperatures: [Float] = [0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6]

  /// The logarithm of how likely a temperature is before any example is held out, up to a constant.
  private static func logPrior(temperature: Float) -> Double {
    -Double(abs(log2f(temperature / 2.8)))
  }

  /// So many examples of each label, at least, tell of it what frozen states do not. Fewer may too, but the closed forms are
  /// done with them in a blink.
  private static let worthTrying = 32
  /// How much less likely it may make held-out examples: with so many to learn from it is the better one more often than a
  /// hundred held-out ones can tell.
  private static let allowance = 4.0

  /// Whether there are examples enough for it to tell more than frozen states do.
  public static func isWorthTrying(_ targets: [Int], labels: Int, of model: Container) -> Bool {
    var counts = [Int](repeating: 0, count: labels)
    for target in targets { counts[target] += 1 }
    return counts.allSatisfy { $0 >= worthTrying } && (try? architecture(of: model)) != nil
  }

  /// Finetunes from the label words' prior on. Where there are examples enough, a fifth of them is held out first to
  /// tell the temperature at which the others' answers to them are likeliest.
  ///
  /// - Parameters:
  ///   - labels: the labels' anchors.
  ///   - report: called with the share of the work that is done.
  /// - Throws: what `train` does.
  public func adapter(
    _ examples: Examples, labels: LabelSet, report: (Double) -> Void
  ) throws(VDSQError) -> Adapter {
    guard examples.targets.count >= Self.fewest * labels.count,
      let folds = Folds(targets: examples.targets, labels: labels.count, count: Self.foldCount)
    else { return try adapter(examples, labels, temperature: 1, report) }
    let (temperature, _) = try heldOut(examples, labels, folds) { report(0.45 * $0) }
    return try adapter(examples, labels, temperature: temperature) { report(0.45 + 0.55 * $0) }
  }

  /// The same; nil where it makes held-out examples clearly less likely than another method does.
  ///
  /// - Parameter other: what the other method makes of some examples.
  public func adapter(
    _ examples: Examples, labels: LabelSet,
    unlessLessLikelyThan other: (Examples) throws(VDSQError) -> Adapter, report: (Double) -> Void
  ) throws(VDSQError) -> Adapter? {
    guard
      let folds = Folds(targets: examples.targets, labels: labels.count, count: Self.foldCount)
    else { return nil }
    let d = labels.dimensions
    let learned = try other(examples.subset(folds.training(without: 0), columns: d))
    let classifier = try Classifier(adapter: learned, kernels: encoder.kernels)
    var scores = classifier.makeScores()
    var score = 0.0
    examples.states.withUnsafeBufferPointer { states in
      for example in folds.heldOut(0) {
        classifier.classify(states.baseAddress! + example * d, top: 1, into: &scores)
        score += Double(logarithm(max(scores.probabilities[examples.targets[example]], 1e-30)))
      }
    }
    let (temperature, own) = try heldOut(examples, labels, folds) { report(0.45 * $0) }
    guard own > score - Self.allowance else { return nil }
    return try adapter(examples, labels, temperature: temperature) { report(0.45 + 0.55 * $0) }
  }

  private func adapter(
    _ examples: Examples, _ labels: LabelSet, temperature: Float, _ report: (Double) -> Void
  ) throws(VDSQError) -> Adapter {
    let tuned = try train(examples, Array(examples.targets.indices), labels, report: report)
    return Adapter(
      labels: labels.prefix(vectorSize(labels)), updates: tuned.updates, temperature: temperature,
      head: .linear(tuned.head), modelIdentity: encoder.container.identity)
  }

  /// Numbers of a state that are the model's vector.
  private func vectorSize(_ labels: LabelSet) -> Int {
    labels.dimensions / (encoder.intermediateFeatures.count + 1)
  }

  private func train(
    _ examples: Examples, _ members: [Int], _ labels: LabelSet, report: (Double) -> Void
  ) throws(VDSQError) -> Result {
    let chosen = examples.subset(members, columns: labels.dimensions)
    let vectors = LabelPrior.Task(states: chosen.states, targets: chosen.targets, labels: labels)
      .prefix(vectorSize(labels))
    let prior = try LabelPrior(kernels: encoder.kernels, joinsRegression: false).train(
      states: vectors.states, targets: vectors.targets, labels: vectors.labels,
      modelIdentity: encoder.container.identity
    ) { _ in }
    guard case .linear(let start) = prior.head else {
      throw VDSQError(.internalFault, "the prior has no head")
    }
    // Each text is seen as often, whether all are learned from or some: what is found of some is to hold of all.
    let lengths = examples.texts.map { encoder.tokens(of: $0).count }
    let steps = steps(for: lengths) * members.count / lengths.count
    return try train(
      chosen.texts, chosen.targets, from: start, steps: max(1, steps), report: report)
  }

  /// The temperature at which a fifth of the examples is likeliest by the others, and their log-likelihood at it.
  private func heldOut(
    _ examples: Examples, _ labels: LabelSet, _ folds: Folds, _ report: (Double) -> Void
  ) throws(VDSQError) -> (temperature: Float, score: Double) {
    let tuned = try train(examples, folds.training(without: 0), labels, report: report)
    let held = folds.heldOut(0)
    // As it will run, a text at a time.
    var options = encoder.options
    options.intermediateFeatures = []
    options.updates = tuned.updates
    options.batch = 1
    options.keepsThreadsBusy = false
    let encoder = try TextEncoder(encoder.container, options: options)
    var logits: [[Float]] = []
    for example in held {
      var own = [Float](repeating: 0, count: tuned.head.bias.count)
      tuned.head.logits(
        try encoder.vector(of: examples.texts[example]), encoder.kernels, into: &own)
      logits.append(own)
    }
    func score(_ temperature: Float) -> Double {
      zip(logits, held).reduce(0) {
        $0 + LabelPrior.logLikelihood($1.0, examples.targets[$1.1], factor: 1 / temperature)
      }
    }
    func believed(_ temperature: Float) -> Double {
      score(temperature) + Self.logPrior(temperature: temperature)
    }
    let best = Self.temperatures.max { believed($0) < believed($1) }!
    return (best, score(best))
  }
}
