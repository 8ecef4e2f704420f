package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

/// Corrects the head of a trained adapter by one example after another in constant memory.
///
/// This is Bayesian logistic regression whose prior mean is the trained head, updated recursively by
/// a Gaussian approximation (Spiegelhalter and Lauritzen 1990). The weights of all labels share a
/// covariance, which starts as a sphere and shrinks in the directions of the examples. Only the
/// model's vector is read for corrections, not intermediate features. docs/few-shot.md has the
/// formulas.
package struct OnlineCorrection {
  /// An example that is not folded into the weights yet, so that it can be undone.
  package struct Recent {
    package let state: [Float]
    package var target: Int
  }

  /// The adapter with the labels of now. Its linear logits are those of `weights`.
  package private(set) var adapter: Adapter
  package private(set) var weights: CorrectedWeights
  /// The number of examples of each label that were folded in.
  package private(set) var counts: [Int]
  package private(set) var recent: [Recent]
  private let kernels: KernelTable

  package var labels: LabelSet { adapter.labels }
  /// Examples that were learned and not undone or forgotten.
  package var count: Int { counts.reduce(0, +) + recent.count }
  package var undoableCount: Int { recent.count }

  /// Begins to correct an adapter.
  ///
  /// - Throws: `usage` if its head is no linear one.
  package init(_ adapter: Adapter, path: String, kernels: KernelTable) throws(VDSQError) {
    guard adapter.thresholds == nil else {
      throw .usage("\(path): the adapter gives a text any number of labels; learn takes one")
    }
    guard let linear = adapter.linearHead else {
      throw .usage(
        "\(path): learn continues adapters of the methods joint, frozen, prior and finetune; this "
          + "one has another head")
    }
    let columns = adapter.labels.dimensions / (adapter.intermediateFeatures.count + 1)
    self.init(
      adapter,
      weights: CorrectedWeights(linear, columns: columns, dimensions: adapter.labels.dimensions),
      counts: [Int](repeating: 0, count: adapter.labels.count), recent: [], kernels: kernels)
  }

  package init(
    _ adapter: Adapter, weights: CorrectedWeights, counts: [Int], recent: [Recent],
    kernels: KernelTable
  ) {
    self.adapter = adapter
    self.weights = weights
    self.counts = counts
    self.recent = recent
    self.kernels = kernels
  }

  /// Learns an example.
  ///
  /// - Parameter state: `labels.dimensions` floats.
  /// - Throws: `internalFault` if the state is not finite.
  package mutating func learn(_ state: [Float], _ target: Int) throws(VDSQError) {
    guard state.allSatisfy(\.isFinite) else {
      throw VDSQError(.internalFault, "the state of an example is not finite")
    }
    if recent.count == OnlineDiscriminant.undoable {
      let oldest = recent.removeFirst()
      apply(oldest, to: &weights)
      counts[oldest.target] += 1
    }
    recent.append(Recent(state: state, target: target))
  }

  /// Undoes the last example.
  ///
  /// - Returns: its label, or nil if there is none to undo.
  package mutating func undo() -> Int? { recent.popLast()?.target }

  /// Removes a label with its weights. What its examples moved of other labels' weights stays.
  ///
  /// - Throws: `usage` if it is the only one.
  package mutating func forget(_ label: Int) throws(VDSQError) {
    guard labels.count > 1 else { throw .usage("the last label cannot be forgotten") }
    recent.removeAll { $0.target == label }
    for i in recent.indices where recent[i].target > label { recent[i].target -= 1 }
    counts.remove(at: label)
    weights.remove(label)
    adapter = adapter.with(
      labels.removing(label), weights.head, votes: adapter.votes?.removing(label))
  }

  /// Adds a label, with weights in proportion to its anchor.
  ///
  /// - Parameter label: a set with only this label.
  /// - Throws: `usage` if there is one of that name.
  package mutating func add(_ label: LabelSet) throws(VDSQError) {
    let all = try labels.adding(label)
    weights.add(anchor: label.anchors, among: labels)
    counts.append(0)
    adapter = adapter.with(all, weights.head, votes: adapter.votes?.addingLabel())
  }

  /// An adapter from all learned examples.
  package func corrected() -> Adapter {
    var now = weights
    for example in recent { apply(example, to: &now) }
    return adapter.with(labels, now.head, votes: adapter.votes)
  }

  private func apply(_ example: Recent, to weights: inout CorrectedWeights) {
    weights.learn(example.state, example.target, votes: adapter.votes, kernels)
  }
}
