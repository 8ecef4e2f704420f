public import VDSQFormat
public import VDSQKernels
public import VDSQSemantics

/// Linear discriminant analysis with the labels' words as its prior.
///
/// Each class has a mean, of which its centred anchor is a Gaussian prior worth some examples, and all
/// share a covariance, shrunk towards a sphere; both strengths, and the temperature of the resulting
/// logits, are those that give held-out examples the highest likelihood. All in closed form: a few
/// examples cost milliseconds, and none at all would be zero-shot.
public struct LabelPrior {
  /// How many examples an anchor is worth, and how much of the covariance is a sphere's.
  struct Strengths: Equatable {
    var anchor: Float = 4
    var sphere: Float = 0.9
    var temperature: Float = 0.3
  }

  private static let anchors: [Float] = [1, 2, 4, 8, 16, 32]
  private static let spheres: [Float] = [0.3, 0.5, 0.7, 0.9, 0.97]
  /// Factors of the logits: their covariance is of few examples, so they are too sure of themselves.
  private static let temperatures: [Float] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
  private static let foldCount = 4
  /// Anchors are that much shorter than states, relative to their spread.
  private static let anchorLength: Float = 0.5
  /// More examples than that choose nothing better.
  private static let mostForChoosing = 2000

  private let kernels: KernelTable

  public init(kernels: KernelTable) { self.kernels = kernels }

  /// - Parameters:
  ///   - states: `[examples, dimensions]`.
  ///   - targets: each example's label.
  ///   - report: called with the share of the work that is done, from 0 to 1.
  /// - Throws: `usage` where there are no examples, `internalFault` where states are not finite.
  public func train(
    states: [Float], targets: [Int], labels: LabelSet, modelIdentity: UInt32,
    report: (_ share: Double) -> Void = { _ in }
  ) throws(VDSQError) -> Adapter {
    guard !targets.isEmpty else { throw .usage("there are no examples to learn from") }
    let all = Array(targets.indices)
    let task = Task(states: states, targets: targets, labels: labels)
    let strengths = try choose(
      task, Array(all.prefix(Self.mostForChoosing)), report)
    let head = try Fit(task, all, anchor: strengths.anchor, kernels).head(strengths.sphere, kernels)
    return Adapter(
      labels: labels,
      head: Adapter.LinearHead(
        weights: head.weights.map { $0 * strengths.temperature },
        bias: head.bias.map { $0 * strengths.temperature }),
      modelIdentity: modelIdentity)
  }

  struct Task {
    let states: [Float]
    let targets: [Int]
    let labels: LabelSet
  }

  /// The strengths under which held-out examples are most likely; fixed ones where some label has too
  /// few to hold any out.
  private func choose(
    _ task: Task, _ members: [Int], _ report: (Double) -> Void
  ) throws(VDSQError) -> Strengths {
    let targets = members.map { task.targets[$0] }
    guard
      let folds = Folds(targets: targets, labels: task.labels.count, count: Self.foldCount)
    else { return Strengths() }
    var scores = [Double](
      repeating: 0,
      count: Self.anchors.count * Self.spheres.count * Self.temperatures.count)
    for fold in 0..<Self.foldCount {
      let training = folds.training(without: fold).map { members[$0] }
      let held = folds.heldOut(fold).map { members[$0] }
      for (a, anchor) in Self.anchors.enumerated() {
        let fit = try Fit(task, training, anchor: anchor, kernels)
        for (s, sphere) in Self.spheres.enumerated() {
          let head = try fit.head(sphere, kernels)
          let at = (a * Self.spheres.count + s) * Self.temperatures.count
          score(head, task, held, into: &scores[at..<at + Self.temperatures.count])
        }
        let done = fold * Self.anchors.count + a + 1
        report(Double(done) / Double(Self.foldCount * Self.anchors.count + 1))
      }
    }
    let best = scores.indices.max { scores[$0] < scores[$1] }!
    let rest = best / Self.temperatures.count
    return Strengths(
      anchor: Self.anchors[rest / Self.spheres.count],
      sphere: Self.spheres[rest % Self.spheres.count],
      temperature: Self.temperatures[best % Self.temperatures.count])
  }

  /// Adds the log-likelihood of examples at every temperature.
  private func score(
    _ head: Adapter.LinearHead, _ task: Task, _ members: [Int],
    into scores: inout ArraySlice<Double>
  ) {
    let d = task.labels.dimensions
    var logits = [Float](repeating: 0, count: task.labels.count)
    for example in members {
      task.states.withUnsafeBufferPointer {
        kernels.dotRows(
          $0.baseAddress! + example * d, head.weights, task.labels.count, d, &logits)
      }
      for i in logits.indices { logits[i] += head.bias[i] }
      for (i, temperature) in Self.temperatures.enumerated() {
        var probabilities = logits
        CosineLogits.softmax(&probabilities, temperature: 1 / temperature)
        let p = max(probabilities[task.targets[example]], 1e-30)
        scores[scores.startIndex + i] += Double(logarithm(p))
      }
    }
  }
}

extension LabelPrior {
  /// Class means and the covariance within classes, from some of the examples.
  struct Fit {
    private let d: Int
    private let center: [Float]
    /// `[labels, dimensions]`, centred.
    private let means: [Float]
    /// `[dimensions, dimensions]`, lower triangle.
    private var covariance: [Float]
    /// The covariance's mean variance.
    private let variance: Float

    init(_ task: Task, _ members: [Int], anchor: Float, _ kernels: KernelTable) throws(VDSQError) {
      let labels = task.labels
      let d = labels.dimensions
      self.d = d
      let count = Float(members.count)
      var center = [Float](repeating: 0, count: d)
      for example in members {
        for j in 0..<d { center[j] += task.states[example * d + j] / count }
      }
      self.center = center
      // Anchors about their own mean, as long as states are, and a little shorter.
      var anchors = labels.anchors
      for j in 0..<d {
        var mean: Float = 0
        for label in 0..<labels.count { mean += anchors[label * d + j] / Float(labels.count) }
        for label in 0..<labels.count { anchors[label * d + j] -= mean }
      }
      var spread: Float = 0
      for example in members {
        for j in 0..<d {
          let deviation = task.states[example * d + j] - center[j]
          spread += deviation * deviation / count
        }
      }
      let anchorSpread = anchors.reduce(0) { $0 + $1 * $1 } / Float(labels.count)
      let scale =
        anchorSpread > 0 ? LabelPrior.anchorLength * (spread / anchorSpread).squareRoot() : 0
      var sums = anchors.map { $0 * scale * anchor }
      var weights = [Float](repeating: anchor, count: labels.count)
      for example in members {
        let label = task.targets[example]
        weights[label] += 1
        for j in 0..<d { sums[label * d + j] += task.states[example * d + j] - center[j] }
      }
      for label in 0..<labels.count {
        for j in 0..<d { sums[label * d + j] /= weights[label] }
      }
      means = sums
      var covariance = [Float](repeating: 0, count: d * d)
      var deviation = [Float](repeating: 0, count: d)
      for example in members {
        let mean = task.targets[example] * d
        for j in 0..<d { deviation[j] = task.states[example * d + j] - center[j] - means[mean + j] }
        covariance.withUnsafeMutableBufferPointer {
          for j in 0..<d {
            kernels.addScaled(deviation[j] / count, deviation, j + 1, $0.baseAddress! + j * d)
          }
        }
      }
      var trace: Float = 0
      for j in 0..<d { trace += covariance[j * d + j] }
      guard trace.isFinite else {
        throw VDSQError(.internalFault, "the examples' states are not finite")
      }
      // Where every example is its class's mean, any sphere does.
      variance = trace > 0 ? trace / Float(d) : 1
      self.covariance = covariance
    }

    /// The discriminant functions, with `sphere` of the covariance replaced by a sphere of the same
    /// size: weights `C^-1 m`, bias `-m C^-1 m / 2`, moved to states that are not centred.
    func head(_ sphere: Float, _ kernels: KernelTable) throws(VDSQError) -> Adapter.LinearHead {
      var shrunk = covariance.map { $0 * (1 - sphere) }
      for j in 0..<d { shrunk[j * d + j] += sphere * variance }
      guard let system = SymmetricSystem(shrunk, size: d, kernels: kernels) else {
        throw VDSQError(.internalFault, "the examples' covariance cannot be inverted")
      }
      var weights = means
      let labels = means.count / d
      var bias = [Float](repeating: 0, count: labels)
      weights.withUnsafeMutableBufferPointer { w in
        for label in 0..<labels {
          let row = w.baseAddress! + label * d
          system.solve(row)
          var half: Float = 0
          var shift: Float = 0
          kernels.dotRows(row, Array(means[label * d..<(label + 1) * d]), 1, d, &half)
          kernels.dotRows(row, center, 1, d, &shift)
          bias[label] = -half / 2 - shift
        }
      }
      return Adapter.LinearHead(weights: weights, bias: bias)
    }
  }
}
