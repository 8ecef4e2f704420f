package import VDSQSemantics

extension Adapter {
  /// The linear part of the head, with the logits as they are for a temperature of 1; nil if the
  /// head has none.
  package var linearHead: LinearHead? {
    switch head {
    case .linear(let linear): linear.scaled(by: 1 / temperature)
    case .rbf(let head): head.linear.scaled(by: 1 / temperature)
    case .residual, .nearestNeighbors, nil: nil
    }
  }

  /// The votes that are added to the linear logits; nil if there are none.
  package var votes: RBFVotes? {
    if case .rbf(let head) = head { head.votes.scaled(by: 1 / temperature) } else { nil }
  }

  /// The adapter with other labels and another head.
  func with(_ labels: LabelSet, _ linear: LinearHead, votes: RBFVotes?) -> Adapter {
    Adapter(
      labels: labels, intermediateFeatures: intermediateFeatures, updates: updates,
      head: votes.map { .rbf(RBFHead(linear: linear, votes: $0)) } ?? .linear(linear),
      modelIdentity: modelIdentity)
  }
}

extension RBFVotes {
  /// The votes for all labels but one.
  func removing(_ label: Int) -> RBFVotes {
    var weights = weights
    weights.removeSubrange(label * count..<(label + 1) * count)
    return RBFVotes(
      dimensions: dimensions, centers: centers, weights: weights, sharpness: sharpness)
  }

  /// The votes with a further label, which has none.
  func addingLabel() -> RBFVotes {
    RBFVotes(
      dimensions: dimensions, centers: centers,
      weights: weights + [Float](repeating: 0, count: count), sharpness: sharpness)
  }
}
