package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

/// Linear discriminant analysis that learns one example after another in constant memory.
///
/// It keeps the counts, sums and scatter of the labels' examples; states only of the last few
/// examples, which can be undone. Prior and shrinkage counts are chosen by the prequential
/// log-likelihood: how likely each example was before it was learned, with a weight that fades
/// (Dawid 1984).
package struct OnlineDiscriminant {
  private typealias Constants = Hyperparameters.Online

  /// The number of examples that can be undone.
  package static var undoable: Int { Constants.undoable }
  /// The hyperparameters that are tried.
  private static let grid = DiscriminantGrid(
    priorCounts: Constants.priorCounts, shrinkageCounts: Constants.shrinkageCounts)
  package static let scoreCount = grid.count * LinearDiscriminant.temperatures.count

  /// An example that is not folded into the statistics yet.
  package struct Recent {
    package let state: [Float]
    package var target: Int
    /// Its log-likelihood before it was learned, under each candidate of the hyperparameters.
    package let scores: [Float]
  }

  /// The labels with their anchors, in the order of logits. Labels can be added and forgotten.
  package private(set) var labels: LabelSet
  package private(set) var statistics: ClassStatistics
  package private(set) var recent: [Recent]
  /// Log-likelihoods under each of the hyperparameters, of examples that were folded in.
  package private(set) var scores: [Float]
  /// Texts without labels that were classified (`StreamAdaptation`); none at first.
  package private(set) var stream: RecentStates
  private let kernels: KernelTable
  private let arithmetic: MatrixArithmetic

  /// - Throws: `usage` if there are no labels.
  package init(labels: LabelSet, kernels: KernelTable) throws(VDSQError) {
    try self.init(
      labels: labels,
      statistics: ClassStatistics(labels: labels.count, dimensions: labels.dimensions),
      recent: [], scores: [Float](repeating: 0, count: Self.scoreCount), stream: [],
      kernels: kernels)
  }

  /// - Parameter stream: states of texts without labels, `[texts, labels.dimensions]`.
  package init(
    labels: LabelSet, statistics: ClassStatistics, recent: [Recent], scores: [Float],
    stream: [Float], kernels: KernelTable
  ) throws(VDSQError) {
    guard labels.count > 0 else { throw .usage("labels: the list is empty") }
    self.labels = labels
    self.statistics = statistics
    self.recent = recent
    self.scores = scores
    self.stream = RecentStates(
      dimensions: labels.dimensions,
      capacity: Hyperparameters.Unlabelled.mostTexts)
    self.stream.add(stream)
    self.kernels = kernels
    arithmetic = MatrixArithmetic(kernels: kernels)
  }

  /// Examples that were learned and not undone or forgotten.
  package var count: Int { Int(statistics.count) + recent.count }

  /// Examples that `undo` can still take back.
  package var undoableCount: Int { recent.count }

  /// Learns an example.
  ///
  /// - Parameter state: `labels.dimensions` floats.
  /// - Throws: `internalFault` if the state is not finite.
  package mutating func learn(_ state: [Float], _ target: Int) throws(VDSQError) {
    let likelihoods = try likelihoods(of: state, target)
    if recent.count == Self.undoable { fold() }
    recent.append(Recent(state: state, target: target, scores: likelihoods))
  }

  /// Undoes the last example.
  ///
  /// - Returns: its label, or nil if there is none to undo.
  package mutating func undo() -> Int? { recent.popLast()?.target }

  /// Notes the states of texts without labels, which take part in the head from then on.
  ///
  /// - Parameter states: `[texts, labels.dimensions]`.
  package mutating func see(_ states: [Float]) { stream.add(states) }

  /// Forgets all texts without labels.
  package mutating func forgetStream() {
    stream = RecentStates(
      dimensions: stream.dimensions, capacity: stream.capacity)
  }

  /// Forgets all examples of a label, and the label.
  ///
  /// - Throws: `usage` if it is the only one.
  package mutating func forget(_ label: Int) throws(VDSQError) {
    guard labels.count > 1 else { throw .usage("the last label cannot be forgotten") }
    recent.removeAll { $0.target == label }
    for i in recent.indices where recent[i].target > label { recent[i].target -= 1 }
    statistics.removeLabel(label)
    labels = labels.removing(label)
  }

  /// Adds a label.
  ///
  /// - Parameter label: a set with only this label.
  /// - Throws: `usage` if there is one of that name.
  package mutating func add(_ label: LabelSet) throws(VDSQError) {
    labels = try labels.adding(label)
    statistics.addLabel()
  }

  /// An adapter from all learned examples, and from the texts without labels.
  ///
  /// - Returns: the adapter, and why texts without labels do not change it, if they do not.
  /// - Throws: `internalFault` if states were not finite.
  package func adapter(
    modelIdentity: UInt32
  ) throws(VDSQError) -> (adapter: Adapter, refusal: UnlabelledRefusal?) {
    var head = count > 0 ? try labelledHead() : nil
    var refusal: UnlabelledRefusal?
    if stream.count > 0 {
      switch try streamHead(head) {
      case .head(let moved): head = moved
      case .refused(let reason): refusal = reason
      }
    }
    // Without both there are only cosines.
    let adapter =
      if let head {
        Adapter(labels: labels, head: .linear(head), modelIdentity: modelIdentity)
      } else {
        Adapter(
          labels: labels, temperature: Classifier.defaultTemperature, head: nil,
          modelIdentity: modelIdentity)
      }
    return (adapter, refusal)
  }

  /// What texts without labels make of the head of the examples; nil for none.
  private func streamHead(
    _ own: LinearHead?
  ) throws(VDSQError) -> SemiSupervisedDiscriminant.Outcome {
    let discriminant = SemiSupervisedDiscriminant(
      labels, texts: FeatureMatrix(stream.rows, columns: stream.dimensions), arithmetic)
    guard let own else { return try discriminant.head() }
    let current = current
    return try discriminant.head(
      current, prior(current), start: own, priorCount: choice.priorCount)
  }

  private func labelledHead() throws(VDSQError) -> LinearHead {
    let choice = choice
    let current = current
    return try GaussianClasses(prior(current), current, priorCount: choice.priorCount)
      .linearHead(shrinkageCount: choice.shrinkageCount, arithmetic)
      .scaled(by: choice.logitScale)
  }

  /// The statistics with the last examples in them.
  private var current: ClassStatistics {
    var all = statistics
    for example in recent { all.add(example.state, example.target, kernels) }
    return all
  }

  private func prior(_ statistics: ClassStatistics) -> AnchorPrior {
    AnchorPrior(labels, statistics, vectorColumns: labels.dimensions)
  }

  private mutating func fold() {
    let oldest = recent.removeFirst()
    statistics.add(oldest.state, oldest.target, kernels)
    for i in scores.indices { scores[i] = Float(Constants.memory) * scores[i] + oldest.scores[i] }
  }

  private var choice: LinearDiscriminant.Choice {
    guard count >= Constants.leastExamples else { return Constants.unchosen }
    var totals = scores.map(Double.init)
    for example in recent {
      for i in totals.indices {
        totals[i] = Constants.memory * totals[i] + Double(example.scores[i])
      }
    }
    let scales = LinearDiscriminant.temperatures.count
    func choice(_ i: Int) -> LinearDiscriminant.Choice { Self.grid.choice(i / scales, i % scales) }
    for i in totals.indices { totals[i] += choice(i).logPrior }
    return choice(totals.indices.max { totals[$0] < totals[$1] }!)
  }

  /// The log-likelihood of an example before it is learned, under each candidate of the
  /// hyperparameters.
  private func likelihoods(of state: [Float], _ target: Int) throws(VDSQError) -> [Float] {
    var found: [Float] = []
    found.reserveCapacity(Self.scoreCount)
    guard count > 0 else { return [Float](repeating: 0, count: Self.scoreCount) }
    let current = current
    var logits = [Float](repeating: 0, count: labels.count)
    let prior = prior(current)
    for priorCount in Self.grid.priorCounts {
      let classes = try GaussianClasses(prior, current, priorCount: priorCount)
      for shrinkageCount in Self.grid.shrinkageCounts {
        let head = try classes.linearHead(shrinkageCount: shrinkageCount, arithmetic)
        logits.withUnsafeMutableBufferPointer { head.logits(state, kernels, into: $0.baseAddress!) }
        for temperature in LinearDiscriminant.temperatures {
          found.append(
            Float(
              LogLikelihood.of([target], logits: logits, temperature: temperature, kernels)))
        }
      }
    }
    return found
  }
}
