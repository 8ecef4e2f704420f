public import VDSQFormat
public import VDSQKernels
public import VDSQSemantics

/// Semantic calibration, the paper's neural clustering (design section 2.4): a residual module that
/// moves a task's states towards their labels' anchors, which stay where the vocabulary put them.
///
/// Trained by cross-entropy on the cosine logits of the calibrated states, over cached states, from
/// the identity, with the closed-form gradient of section 2.3 and AdamW.
public struct SemanticCalibration {
  public struct Options: Sendable {
    /// Rank of the residual map; 0 for the smaller of 64 and the dimensions.
    public var rank = 0
    public var epochs = 60
    public var batch = 32
    public var learningRate: Float = 0.003
    public var weightDecay: Float = 0.01
    public var temperature = Classifier.defaultTemperature
    public var seed: UInt64 = 1

    public init() {}
  }

  private let options: Options
  private let kernels: KernelTable

  public init(options: Options, kernels: KernelTable) {
    self.options = options
    self.kernels = kernels
  }

  /// Trains a module and scales it to the strength that held-out examples like best.
  ///
  /// - Parameters:
  ///   - states: `[examples, dimensions]`.
  ///   - targets: each example's label.
  ///   - report: called with the share of the work that is done, from 0 to 1.
  /// - Throws: `usage` where there are no examples, `internalFault` where training diverges.
  public func train(
    states: [Float], targets: [Int], labels: LabelSet, modelIdentity: UInt32,
    report: (_ share: Double) -> Void = { _ in }
  ) throws(VDSQError) -> Adapter {
    guard !targets.isEmpty else { throw .usage("there are no examples to learn from") }
    let folds = Folds(targets: targets, labels: labels.count, count: Self.foldCount)
    var fitted = 0
    func fit(_ members: [Int]) throws(VDSQError) -> ResidualModule {
      defer { fitted += 1 }
      return try self.fit(members, states, targets, labels) { epoch in
        let share = Double(epoch) / Double(options.epochs)
        report((Double(fitted) + share) / Double(folds == nil ? 1 : Self.foldCount + 1))
      }
    }
    func adapter(_ module: ResidualModule) -> Adapter {
      Adapter(
        labels: labels, temperature: options.temperature, head: .residual(module),
        modelIdentity: modelIdentity)
    }
    var strength = Self.strengthWithoutFolds
    if let folds {
      var losses = [Double](repeating: 0, count: Self.strengths.count)
      for fold in 0..<Self.foldCount {
        let module = try fit(folds.training(without: fold))
        for (i, candidate) in Self.strengths.enumerated() {
          losses[i] += try loss(
            adapter(module.scaled(by: candidate)), folds.heldOut(fold), states, targets)
        }
      }
      strength = Self.strengths[losses.indices.min { losses[$0] < losses[$1] }!]
    }
    return adapter(try fit(Array(targets.indices)).scaled(by: strength))
  }

  private static let foldCount = 4
  /// How much of the trained displacement is kept: 0 would be zero-shot, 1 is the module as trained.
  private static let strengths: [Float] = [0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1]
  /// Where a label has one example and none can be held out.
  private static let strengthWithoutFolds: Float = 0.2

  /// The summed negative log-likelihood of examples.
  private func loss(
    _ adapter: Adapter, _ members: [Int], _ states: [Float], _ targets: [Int]
  ) throws(VDSQError) -> Double {
    let classifier = try Classifier(adapter: adapter, kernels: kernels)
    var scores = classifier.makeScores()
    var total = 0.0
    for example in members {
      states.withUnsafeBufferPointer {
        classifier.classify(
          $0.baseAddress! + example * adapter.labels.dimensions, top: 1, into: &scores)
      }
      total -= Double(logarithm(max(scores.probabilities[targets[example]], 1e-30)))
    }
    return total
  }

  /// Trains a module on some of the examples.
  private func fit(
    _ members: [Int], _ states: [Float], _ targets: [Int], _ labels: LabelSet,
    report: (_ epoch: Int) -> Void
  ) throws(VDSQError) -> ResidualModule {
    let d = labels.dimensions
    let rank = options.rank > 0 ? min(options.rank, d) : min(64, d)
    var random = SplitMix64(seed: options.seed)
    // As in low-rank adaptation: one side random, the other zero, so that training starts at the
    // identity.
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
            states, example, targets[example], labels, parameters, 1 / Float(members.count),
            &gradient)
        }
        // A cosine schedule: large steps first, then down to nothing.
        let progress = Double(step) / Double(steps)
        let rate = options.learningRate * Float(0.5 * (1 + cosine(.pi * progress)))
        optimizer.update(&parameters.values, gradient, rate: rate)
        step += 1
      }
      let loss = total / Float(members.count)
      guard loss.isFinite else {
        throw VDSQError(.internalFault, "training diverged; report this with the examples")
      }
      report(epoch + 1)
    }
    let v = parameters.values
    return ResidualModule(
      rank: rank, down: Array(v[..<(rank * d)]), up: Array(v[(rank * d)..<(2 * rank * d)]),
      offset: Array(v[(2 * rank * d)...]))
  }

  /// Adds an example's gradient; returns its loss.
  private func accumulate(
    _ states: [Float], _ example: Int, _ target: Int, _ labels: LabelSet,
    _ parameters: Parameters, _ weight: Float, _ gradient: inout [Float]
  ) -> Float {
    let d = labels.dimensions
    let rank = parameters.rank
    var inner = [Float](repeating: 0, count: rank)
    var calibrated = Array(states[example * d..<(example + 1) * d])
    var cosines = [Float](repeating: 0, count: labels.count)
    var slope = [Float](repeating: 0, count: d)
    var loss: Float = 0
    states.withUnsafeBufferPointer { states in
      parameters.values.withUnsafeBufferPointer { p in
        let state = states.baseAddress! + example * d
        let down = p.baseAddress!
        let up = down + rank * d
        kernels.dotRows(state, down, rank, d, &inner)
        kernels.addScaled(1, up + rank * d, d, &calibrated)
        for r in 0..<rank { kernels.addScaled(inner[r], up + r * d, d, &calibrated) }

        let norm = max(length(calibrated, d), 1e-12)
        kernels.dotRows(calibrated, labels.anchors, labels.count, d, &cosines)
        for i in cosines.indices { cosines[i] /= norm }
        var probabilities = cosines
        CosineLogits.softmax(&probabilities, temperature: options.temperature)
        loss = -logarithm(max(probabilities[target], 1e-30))
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
