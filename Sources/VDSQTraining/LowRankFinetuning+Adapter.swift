import VDSQFormat
import VDSQInference
import VDSQKernels
public import VDSQSemantics

extension LowRankFinetuning {
  /// So many examples of each label, at least, tell how sure answers may be.
  private static let fewest = 8
  private static let foldCount = 5
  private static let temperatures: [Float] = [0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6]

  /// Finetunes from the label words' prior on. Where there are examples enough, a fifth of them is held out first to
  /// tell the temperature at which the others' answers to them are likeliest.
  ///
  /// - Parameters:
  ///   - labels: the labels' anchors, of the model's own vectors.
  ///   - report: called with the share of the work that is done.
  /// - Throws: what `train` does.
  public func adapter(
    _ examples: Examples, labels: LabelSet, report: (Double) -> Void
  ) throws(VDSQError) -> Adapter {
    var temperature: Float = 1
    var done = 0.0
    if examples.targets.count >= Self.fewest * labels.count,
      let folds = Folds(targets: examples.targets, labels: labels.count, count: Self.foldCount)
    {
      done = 0.45
      let tuned = try train(
        examples, folds.training(without: 0), labels, report: { report(done * $0) })
      temperature = try self.temperature(tuned, examples, folds.heldOut(0))
    }
    let tuned = try train(
      examples, Array(examples.targets.indices), labels, report: { report(done + (1 - done) * $0) })
    return Adapter(
      labels: labels, updates: tuned.updates, temperature: temperature,
      correction: .head(tuned.head),
      modelIdentity: encoder.container.identity)
  }

  private func train(
    _ examples: Examples, _ members: [Int], _ labels: LabelSet, report: (Double) -> Void
  ) throws(VDSQError) -> Result {
    let chosen = examples.subset(members, columns: labels.dimensions)
    let prior = try LabelPrior(kernels: encoder.kernels, joinsRegression: false).train(
      states: chosen.states, targets: chosen.targets, labels: labels,
      modelIdentity: encoder.container.identity
    ) { _ in }
    guard case .head(let start) = prior.correction else {
      throw VDSQError(.internalFault, "the prior has no head")
    }
    return try train(chosen.texts, chosen.targets, from: start, report: report)
  }

  /// The temperature at which held-out examples are likeliest.
  private func temperature(
    _ tuned: Result, _ examples: Examples, _ held: [Int]
  ) throws(VDSQError) -> Float {
    var options = TextEncoder.Options()
    options.threads = encoder.threads.count
    options.maximumTokens = encoder.maximumTokens
    options.updates = tuned.updates
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
    return Self.temperatures.max { score($0) < score($1) }!
  }
}
