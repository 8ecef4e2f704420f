import Glibc
package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

/// Semantic calibration ("neural clustering", arXiv 2401.16184): a residual module that moves the
/// states of a task towards their label anchors, which stay fixed.
///
/// Training starts at the identity. It minimises the cross-entropy of the cosine logits over cached
/// states, with the closed-form gradient (`CosineLogits.gradient`) and AdamW.
package struct SemanticCalibration {
  private typealias Constants = Hyperparameters.Calibration

  package struct Options {
    /// The rank of the residual map, limited by the dimensions.
    package var rank = Hyperparameters.Calibration.rank
    package var epochs = Hyperparameters.Calibration.epochs
    package var batch = Hyperparameters.Calibration.batch
    package var learningRate = Hyperparameters.Calibration.learningRate
    package var weightDecay = Hyperparameters.Calibration.weightDecay
    package var temperature = Classifier.defaultTemperature
    package var seed: UInt64 = 1

    package init() {}
  }

  package let options: Options
  package let kernels: KernelTable

  package init(options: Options = Options(), kernels: KernelTable) {
    self.options = options
    self.kernels = kernels
  }

  /// Trains a module, and scales its displacement by the factor that maximises held-out likelihood.
  ///
  /// - Throws: `usage` if there are no examples, `internalFault` if training diverges.
  package func train(
    _ set: TrainingSet, modelIdentity: UInt32, progress: ProgressSpan = .silent
  ) throws(VDSQError) -> Adapter {
    guard set.count > 0 else { throw .usage("there are no examples to learn from") }
    func adapter(_ module: ResidualModule) -> Adapter {
      Adapter(
        labels: set.anchors, temperature: options.temperature, head: .residual(module),
        modelIdentity: modelIdentity)
    }
    let validation = CrossValidation(
      targets: set.targets, labels: set.anchors.count, folds: Hyperparameters.folds)
    var strength = Constants.strengthWithoutFolds
    // A fold takes about as long as all examples.
    let parts = validation.map { $0.folds.count + 1 } ?? 1
    if let validation {
      let table = try validation.score(
        set.targets, labels: set.anchors.count, candidates: Constants.strengths.count,
        .probabilities, progress: progress.part(from: 0, to: Double(parts - 1) / Double(parts))
      ) { (fold, evaluate, progress) throws(VDSQError) in
        let module = try fit(fold.training, set, progress)
        for (i, candidate) in Constants.strengths.enumerated() {
          let adapter = adapter(module.scaled(by: candidate))
          let classifier = try Classifier(adapter: adapter, kernels: kernels)
          var scores = classifier.makeScores()
          try evaluate(i) { example, probabilities in
            classifier.classify(set.features, row: example, into: &scores)
            probabilities = scores.probabilities
          }
        }
      }
      strength = Constants.strengths[table.best.candidate]
    }
    let all = Array(set.targets.indices)
    return adapter(
      try fit(all, set, progress.part(parts - 1, of: parts)).scaled(by: strength))
  }

  /// Trains a module on some of the examples.
  private func fit(
    _ members: [Int], _ set: TrainingSet, _ progress: ProgressSpan
  ) throws(VDSQError) -> ResidualModule {
    let d = set.columns
    let rank = min(options.rank, d)
    var random = SplitMix64(seed: options.seed)
    // As in low-rank adaptation, one side is random and the other zero, so that training starts at
    // the identity.
    var parameters = Parameters(rank: rank, dimensions: d)
    let spread = 1 / Float(d).squareRoot()
    for i in 0..<rank * d { parameters.values[i] = random.nextNormal() * spread }
    var gradient = [Float](repeating: 0, count: parameters.values.count)
    var optimizer = AdamW(count: gradient.count, weightDecay: options.weightDecay)
    var order = members
    let batches = (members.count + options.batch - 1) / options.batch
    let steps = options.epochs * batches
    var step = 0
    for epoch in 0..<options.epochs {
      order.shuffle(using: &random)
      var total: Float = 0
      for first in stride(from: 0, to: order.count, by: options.batch) {
        let members = order[first..<min(first + options.batch, order.count)]
        for i in gradient.indices { gradient[i] = 0 }
        for example in members {
          total += accumulate(
            set, example, parameters, 1 / Float(members.count), &gradient)
        }
        // A cosine schedule, from large steps down to zero.
        let share = Double(step) / Double(steps)
        let rate = options.learningRate * Float(0.5 * (1 + cos(.pi * share)))
        optimizer.update(&parameters.values, gradient, rate: rate)
        step += 1
      }
      let loss = total / Float(members.count)
      guard loss.isFinite else {
        throw VDSQError(.internalFault, "training diverged; report this with the examples")
      }
      progress.advance(to: Double(epoch + 1) / Double(options.epochs))
    }
    let v = parameters.values
    return ResidualModule(
      rank: rank, down: Array(v[..<(rank * d)]), up: Array(v[(rank * d)..<(2 * rank * d)]),
      offset: Array(v[(2 * rank * d)...]))
  }

  /// Adds the gradient of an example and returns its loss.
  private func accumulate(
    _ set: TrainingSet, _ example: Int, _ parameters: Parameters, _ weight: Float,
    _ gradient: inout [Float]
  ) -> Float {
    let d = set.columns
    let (labels, target) = (set.anchors, set.targets[example])
    let rank = parameters.rank
    var inner = [Float](repeating: 0, count: rank)
    var calibrated = Array(set.features[example])
    var cosines = [Float](repeating: 0, count: labels.count)
    var slope = [Float](repeating: 0, count: d)
    var loss: Float = 0
    set.features.withRow(example) { state in
      parameters.values.withUnsafeBufferPointer { p in
        let down = p.baseAddress!
        let up = down + rank * d
        kernels.dotRows(state, down, rank, d, &inner)
        kernels.addScaled(1, up + rank * d, d, &calibrated)
        for r in 0..<rank { kernels.addScaled(inner[r], up + r * d, d, &calibrated) }

        let norm = max(length(calibrated, d), Constants.leastLength)
        kernels.dotRows(calibrated, labels.anchors, labels.count, d, &cosines)
        for i in cosines.indices { cosines[i] /= norm }
        var probabilities = cosines
        CosineLogits.softmax(&probabilities, temperature: options.temperature)
        loss = -LogLikelihood.of(probabilities[target])
        CosineLogits.gradient(
          state: calibrated, labels: labels, cosines: cosines, probabilities: probabilities,
          target: target, temperature: options.temperature, into: &slope)

        gradient.withUnsafeMutableBufferPointer { g in
          let downGradient = g.baseAddress!
          let upGradient = downGradient + rank * d
          kernels.addScaled(weight, slope, d, upGradient + rank * d)
          var innerSlope = [Float](repeating: 0, count: rank)
          kernels.dotRows(slope, up, rank, d, &innerSlope)
          for r in 0..<rank {
            kernels.addScaled(weight * inner[r], slope, d, upGradient + r * d)
            kernels.addScaled(weight * innerSlope[r], state, d, downGradient + r * d)
          }
        }
      }
    }
    return loss
  }

  /// `down`, `up` and `offset` in one array, for the optimizer.
  private struct Parameters {
    let rank: Int
    var values: [Float]

    init(rank: Int, dimensions: Int) {
      self.rank = rank
      values = [Float](repeating: 0, count: (2 * rank + 1) * dimensions)
    }
  }
}
