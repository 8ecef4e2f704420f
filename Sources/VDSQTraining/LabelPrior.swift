import Glibc
public import VDSQFormat
public import VDSQInference
public import VDSQKernels
public import VDSQSemantics

/// Linear discriminant analysis with the labels' words as its prior.
///
/// Each class has a mean, of which its centred anchor is a Gaussian prior worth some examples, and all
/// share a covariance, shrunk towards a sphere; both strengths, and the temperature of the resulting
/// logits, are those that give held-out examples the highest likelihood. All in closed form: a few
/// examples cost milliseconds, and none at all would be zero-shot.
public struct LabelPrior {
  /// How many examples an anchor is worth, how many a spherical covariance, and a factor of the logits.
  struct Strengths: Equatable {
    var anchor: Float
    var sphere: Float
    var temperature: Float

    /// Where nothing can be held out: anchors count for more where all examples together are a handful.
    static func unheld(_ examples: Int) -> Strengths {
      Strengths(anchor: max(4, 48 / Float(examples)), sphere: 2048, temperature: 0.04)
    }

    /// The logarithm of how likely they are before any example is held out, up to a constant: a few held-out
    /// examples are chance, and label words are believed until there are more.
    static func logPrior(anchor: Float, sphere: Float) -> Double {
      -Double(abs(log2f(anchor / 32)) + abs(log2f(sphere / 4096)))
    }
  }

  /// What is tried of each.
  private struct Grid {
    var anchors: [Float] = [1, 2, 4, 8, 16, 32, 64, 256]
    var spheres: [Float] = [128, 512, 2048, 8192]
  }

  /// Factors of the logits: their covariance is of few examples, so they are too sure of themselves.
  static let temperatures: [Float] = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
  static let foldCount = 4
  /// How long anchors are, beside states.
  static let anchorLength: Float = 0.5
  /// How many examples it is worth that texts lie around no point in particular.
  static let centerExamples: Float = 4
  /// More examples than that choose nothing better.
  private static let mostForChoosing = 2000

  /// How many examples may vote: more make an adapter larger than what they add is worth.
  public static let mostCenters = 1024

  private let kernels: KernelTable
  private let joinsRegression: Bool

  /// - Parameter joinsRegression: whether logistic regression is tried beside it where there are examples enough.
  public init(kernels: KernelTable, joinsRegression: Bool = true) {
    self.kernels = kernels
    self.joinsRegression = joinsRegression
  }

  /// - Parameters:
  ///   - states: `[examples, dimensions]`: the last layer's vector, and behind it as many numbers of length 1
  ///     for each of the lower layers.
  ///   - targets: each example's label.
  ///   - intermediateFeatures: what follows the vector, first words' last. Whether they help is found out by holding examples
  ///     out; an adapter that does without them says so.
  ///   - report: called with the share of the work that is done, from 0 to 1.
  /// - Throws: `usage` where there are no examples, `internalFault` where states are not finite.
  public func train(
    states: [Float], targets: [Int], labels: LabelSet,
    intermediateFeatures: [IntermediateFeature] = [],
    modelIdentity: UInt32, report: (_ share: Double) -> Void = { _ in }
  ) throws(VDSQError) -> Adapter {
    guard !targets.isEmpty else { throw .usage("there are no examples to learn from") }
    let all = Array(targets.indices)
    // Spread over all of them: a file may be sorted by label.
    let chosenCount = min(all.count, Self.mostForChoosing)
    let members = (0..<chosenCount).map { $0 * all.count / chosenCount }
    let whole = Task(states: states, targets: targets, labels: labels)
    let blocks = intermediateFeatures.count + 1
    // The vector alone, with what is pooled of lower layers, and with everything.
    let pooled = intermediateFeatures.prefix { $0.tokens == .pooled }.count
    let steps = [pooled, intermediateFeatures.count].filter { $0 > 0 }
    let vector = blocks == 1 ? whole : whole.prefix(labels.dimensions / blocks)
    let portion = 1 / Double(steps.count + 2)
    var (strengths, score) = try choose(vector, members, Grid()) { report(portion * $0) }
    var (task, layers, factor) = (vector, [IntermediateFeature](), Float(1))
    for (i, count) in Set(steps).sorted().enumerated() where score > -.infinity {
      let columns = labels.dimensions / blocks * (count + 1)
      let balanced = (count + 1 == blocks ? whole : whole.prefix(columns)).balanced(
        blocks: count + 1)
      let grid = Grid(
        anchors: [strengths.anchor, min(4 * strengths.anchor, 256)], spheres: [256, 1024, 4096])
      let other = try choose(balanced.task, members, grid) {
        report(portion * (Double(i + 1) + $0))
      }
      if other.score > score {
        (strengths, score) = other
        (task, layers, factor) = (
          balanced.task, Array(intermediateFeatures[..<count]), balanced.factor
        )
      }
    }
    func prior(_ training: [Int]) throws(VDSQError) -> LinearHead {
      let head = try Fit(task, training, anchor: strengths.anchor, kernels)
        .head(strengths.sphere, kernels)
      return LinearHead(
        weights: head.weights.map { $0 * strengths.temperature },
        bias: head.bias.map { $0 * strengths.temperature })
    }
    var head = try prior(all)
    var kernel: RBFVotes?
    let d = task.labels.dimensions
    let own = d / (layers.count + 1)
    let chosen = members.map { targets[$0] }
    if joinsRegression, JointHead.isWorthTrying(task),
      let folds = Folds(targets: chosen, labels: labels.count, count: Self.foldCount)
    {
      let joint = JointHead(
        task: task, columns: own, members: members, folds: folds, kernels: kernels)
      let choice = try joint.choose(prior) { report(1 - portion * (1 - $0)) }
      (head, kernel) = try joint.correction(head, choice)
    }
    // Weights take over what logits and lower layers' states were multiplied by.
    let weights = head.weights.enumerated().map { i, weight in
      weight * (i % d < own ? 1 : factor)
    }
    head = LinearHead(weights: weights, bias: head.bias)
    return Adapter(
      labels: task.labels, intermediateFeatures: layers,
      head: kernel.map { .rbf(RBFHead(linear: head, votes: $0)) } ?? .linear(head), modelIdentity: modelIdentity)
  }

  struct Task {
    let states: [Float]
    let targets: [Int]
    let labels: LabelSet

    /// What linear discriminant analysis needs of some of the examples.
    ///
    /// - Parameter hasScatter: whether products are wanted too, which take time.
    func moments(_ members: [Int], hasScatter: Bool, _ kernels: KernelTable) -> Moments {
      let d = labels.dimensions
      var moments = Moments(labels: labels.count, dimensions: d, hasScatter: hasScatter)
      states.withUnsafeBufferPointer {
        for example in members {
          moments.add($0.baseAddress! + example * d, targets[example], kernels)
        }
      }
      return moments
    }

    /// The first columns alone.
    func prefix(_ columns: Int) -> Task {
      let d = labels.dimensions
      var cut: [Float] = []
      cut.reserveCapacity(states.count / d * columns)
      for start in stride(from: 0, to: states.count, by: d) {
        cut += states[start..<start + columns]
      }
      return Task(states: cut, targets: targets, labels: labels.prefix(columns))
    }

    /// All blocks as long as the first is on average: vectors need not be of length 1.
    func balanced(blocks: Int) -> (task: Task, factor: Float) {
      let d = labels.dimensions
      let own = d / blocks
      var square: Float = 0
      for start in stride(from: 0, to: states.count, by: d) {
        for i in start..<start + own { square += states[i] * states[i] }
      }
      let factor = (square / Float(max(1, targets.count))).squareRoot()
      let scaled = states.enumerated().map { $0 % d < own ? $1 : $1 * factor }
      return (Task(states: scaled, targets: targets, labels: labels), factor)
    }
  }

  /// The strengths under which held-out examples are most likely; fixed ones where some label has too
  /// few to hold any out.
  private func choose(
    _ task: Task, _ members: [Int], _ grid: Grid, _ report: (Double) -> Void
  ) throws(VDSQError) -> (strengths: Strengths, score: Double) {
    let targets = members.map { task.targets[$0] }
    guard
      let folds = Folds(targets: targets, labels: task.labels.count, count: Self.foldCount)
    else { return (.unheld(targets.count), -.infinity) }
    var scores = [Double](
      repeating: 0,
      count: grid.anchors.count * grid.spheres.count * Self.temperatures.count)
    for fold in 0..<Self.foldCount {
      let training = folds.training(without: fold).map { members[$0] }
      let held = folds.heldOut(fold).map { members[$0] }
      // Where there are many examples, what takes time does not depend on the anchors' strength.
      let moments =
        training.count < task.labels.dimensions
        ? nil : task.moments(training, hasScatter: true, kernels)
      for (a, anchor) in grid.anchors.enumerated() {
        let fit =
          if let moments {
            try Fit(task.labels, moments, anchor: anchor, kernels)
          } else { try Fit(task, training, anchor: anchor, kernels) }
        for (s, sphere) in grid.spheres.enumerated() {
          let head = try fit.head(sphere, kernels)
          let at = (a * grid.spheres.count + s) * Self.temperatures.count
          score(head, task, held, into: &scores[at..<at + Self.temperatures.count])
        }
        let done = fold * grid.anchors.count + a + 1
        report(Double(done) / Double(Self.foldCount * grid.anchors.count + 1))
      }
    }
    for i in scores.indices {
      let rest = i / Self.temperatures.count
      scores[i] += Strengths.logPrior(
        anchor: grid.anchors[rest / grid.spheres.count],
        sphere: grid.spheres[rest % grid.spheres.count])
    }
    let best = scores.indices.max { scores[$0] < scores[$1] }!
    let rest = best / Self.temperatures.count
    let strengths = Strengths(
      anchor: grid.anchors[rest / grid.spheres.count],
      sphere: grid.spheres[rest % grid.spheres.count],
      temperature: Self.temperatures[best % Self.temperatures.count])
    return (strengths, scores[best])
  }

  /// Adds the log-likelihood of examples at every temperature.
  private func score(
    _ head: LinearHead, _ task: Task, _ members: [Int],
    into scores: inout ArraySlice<Double>
  ) {
    let d = task.labels.dimensions
    var logits = [Float](repeating: 0, count: task.labels.count)
    for example in members {
      task.states.withUnsafeBufferPointer { states in
        logits.withUnsafeMutableBufferPointer {
          head.logits(states.baseAddress! + example * d, kernels, into: $0.baseAddress!)
        }
      }
      for (i, factor) in Self.temperatures.enumerated() {
        scores[scores.startIndex + i] += Self.logLikelihood(
          logits, task.targets[example], factor: factor)
      }
    }
  }

  /// The logarithm of a label's probability, of logits times a factor.
  static func logLikelihood(_ logits: [Float], _ target: Int, factor: Float) -> Double {
    var probabilities = logits
    CosineLogits.softmax(&probabilities, temperature: 1 / factor)
    return Double(logarithm(max(probabilities[target], 1e-30)))
  }
}
