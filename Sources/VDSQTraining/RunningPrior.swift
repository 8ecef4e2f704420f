public import VDSQFormat
public import VDSQKernels
public import VDSQSemantics

/// The label prior, learned from one example after another in constant memory.
///
/// What it keeps is counts, sums and the scatter within labels; examples themselves only of the last few, which can be
/// undone. How much anchors and sphere count is chosen by how likely each example was before it was learned.
public struct RunningPrior {
  /// How many examples can be undone.
  public static let undoable = 16
  /// Before so many examples nothing is chosen: anchors are worth as much as four, since who corrects an answer expects
  /// to see another.
  private static let fewest = 8
  private static let anchors: [Float] = [1, 4, 16]
  private static let spheres: [Float] = [512, 4096]
  static let scoreCount = anchors.count * spheres.count * LabelPrior.temperatures.count
  /// What is left of an example's say after the next.
  private static let memory = 0.97

  /// An example that is not folded into the moments yet.
  struct Recent {
    let state: [Float]
    var target: Int
    /// Its log-likelihood before it was learned, at each of the strengths.
    let scores: [Float]
  }

  public private(set) var labels: LabelSet
  private(set) var moments: Moments
  private(set) var recent: [Recent]
  /// Log-likelihoods at each of the strengths, of examples that were folded in.
  private(set) var scores: [Float]
  private let kernels: KernelTable

  /// - Throws: `usage` where there are no labels.
  public init(labels: LabelSet, kernels: KernelTable) throws(VDSQError) {
    try self.init(
      labels: labels, moments: Moments(labels: labels.count, dimensions: labels.dimensions),
      recent: [], scores: [Float](repeating: 0, count: Self.scoreCount), kernels: kernels)
  }

  init(
    labels: LabelSet, moments: Moments, recent: [Recent], scores: [Float], kernels: KernelTable
  ) throws(VDSQError) {
    guard labels.count > 0 else { throw .usage("labels: the list is empty") }
    self.labels = labels
    self.moments = moments
    self.recent = recent
    self.scores = scores
    self.kernels = kernels
  }

  /// Examples that were learned and not undone or forgotten.
  public var count: Int { Int(moments.count) + recent.count }

  /// Examples that `undo` can still take back.
  public var undoableCount: Int { recent.count }

  /// Learns an example.
  ///
  /// - Parameter state: `labels.dimensions` floats.
  /// - Throws: `internalFault` where the state is not finite.
  public mutating func learn(_ state: [Float], _ target: Int) throws(VDSQError) {
    let likelihoods = try likelihoods(of: state, target)
    if recent.count == Self.undoable { fold() }
    recent.append(Recent(state: state, target: target, scores: likelihoods))
  }

  /// Takes back the last example.
  ///
  /// - Returns: its label, or nil where there is none that could be taken back.
  public mutating func undo() -> Int? { recent.popLast()?.target }

  /// Forgets all examples of a label, and the label.
  ///
  /// - Throws: `usage` where it is the only one.
  public mutating func forget(_ label: Int) throws(VDSQError) {
    guard labels.count > 1 else { throw .usage("the last label cannot be forgotten") }
    recent.removeAll { $0.target == label }
    for i in recent.indices where recent[i].target > label { recent[i].target -= 1 }
    moments.removeLabel(label)
    labels = labels.removing(label)
  }

  /// Adds a label.
  ///
  /// - Parameter label: a set of it alone.
  /// - Throws: `usage` where there is one of that name.
  public mutating func add(_ label: LabelSet) throws(VDSQError) {
    labels = try labels.adding(label)
    moments.addLabel()
  }

  /// What classifies by all that was learned.
  ///
  /// - Throws: `internalFault` where states were not finite.
  public func adapter(modelIdentity: UInt32) throws(VDSQError) -> Adapter {
    // Without examples there is nothing but cosines.
    guard count > 0 else {
      return Adapter(
        labels: labels, temperature: Classifier.defaultTemperature, head: nil,
        modelIdentity: modelIdentity)
    }
    let strengths = strengths
    let head = try LabelPrior.Fit(labels, current, anchor: strengths.anchor, kernels)
      .head(strengths.sphere, kernels)
    return Adapter(
      labels: labels,
      head: .linear(
        LinearHead(
          weights: head.weights.map { $0 * strengths.temperature },
          bias: head.bias.map { $0 * strengths.temperature })), modelIdentity: modelIdentity)
  }

  /// The moments with the last examples in them.
  private var current: Moments {
    var all = moments
    for example in recent { all.add(example.state, example.target, kernels) }
    return all
  }

  private mutating func fold() {
    let oldest = recent.removeFirst()
    moments.add(oldest.state, oldest.target, kernels)
    for i in scores.indices { scores[i] = Float(Self.memory) * scores[i] + oldest.scores[i] }
  }

  private var strengths: LabelPrior.Strengths {
    guard count >= Self.fewest else {
      return LabelPrior.Strengths(anchor: 4, sphere: 2048, temperature: 0.04)
    }
    var totals = scores.map(Double.init)
    for example in recent {
      for i in totals.indices { totals[i] = Self.memory * totals[i] + Double(example.scores[i]) }
    }
    let temperatures = LabelPrior.temperatures.count
    func strengths(_ i: Int) -> LabelPrior.Strengths {
      let rest = i / temperatures
      return LabelPrior.Strengths(
        anchor: Self.anchors[rest / Self.spheres.count],
        sphere: Self.spheres[rest % Self.spheres.count],
        temperature: LabelPrior.temperatures[i % temperatures])
    }
    for i in totals.indices {
      let candidate = strengths(i)
      totals[i] += LabelPrior.Strengths.logPrior(
        anchor: candidate.anchor, sphere: candidate.sphere)
    }
    return strengths(totals.indices.max { totals[$0] < totals[$1] }!)
  }

  /// How likely an example is by what was learned before it, at each of the strengths.
  private func likelihoods(of state: [Float], _ target: Int) throws(VDSQError) -> [Float] {
    var found: [Float] = []
    found.reserveCapacity(Self.scoreCount)
    guard count > 0 else { return [Float](repeating: 0, count: Self.scoreCount) }
    let current = current
    var logits = [Float](repeating: 0, count: labels.count)
    for anchor in Self.anchors {
      let fit = try LabelPrior.Fit(labels, current, anchor: anchor, kernels)
      for sphere in Self.spheres {
        let head = try fit.head(sphere, kernels)
        logits.withUnsafeMutableBufferPointer { head.logits(state, kernels, into: $0.baseAddress!) }
        for factor in LabelPrior.temperatures {
          found.append(Float(LabelPrior.logLikelihood(logits, target, factor: factor)))
        }
      }
    }
    return found
  }
}
