package import VDSQKernels
package import VDSQSemantics

/// The weights of a linear head with the covariance of their Gaussian approximation.
package struct CorrectedWeights {
  private typealias Constants = Hyperparameters.Correction

  /// `[labels, dimensions]` and `[labels]`.
  package private(set) var head: LinearHead
  /// `[columns, columns]`, shared by all labels, in units of the initial variance; symmetric.
  package private(set) var covariance: [Float]
  /// `[columns]`: the mean of the states that were learned, with a prior at 0.
  package private(set) var mean: [Float]
  /// The number of examples that were learned.
  package private(set) var count: Int
  /// The squared length of the first state, by which products are divided.
  package private(set) var square: Float
  package let columns: Int
  package let dimensions: Int

  /// Weights that nothing was learned about.
  package init(_ head: LinearHead, columns: Int, dimensions: Int) {
    var covariance = [Float](repeating: 0, count: columns * columns)
    for i in 0..<columns { covariance[i * columns + i] = 1 }
    self.init(
      head, covariance: covariance, mean: [Float](repeating: 0, count: columns), count: 0,
      square: 0, dimensions: dimensions)
  }

  package init(
    _ head: LinearHead, covariance: [Float], mean: [Float], count: Int, square: Float,
    dimensions: Int
  ) {
    (self.head, self.covariance, self.mean) = (head, covariance, mean)
    (self.count, self.square) = (count, square)
    (columns, self.dimensions) = (mean.count, dimensions)
  }

  /// Moves the weights towards a label for a state.
  mutating func learn(
    _ state: [Float], _ target: Int, votes: RBFVotes?, _ kernels: KernelTable
  ) {
    if count == 0 { square = max(product(state, state, kernels), .leastNormalMagnitude) }
    count += 1
    var centred = [Float](repeating: 0, count: columns)
    let share = 1 / (Float(count) + Constants.meanCount)
    for j in 0..<columns {
      mean[j] += (state[j] - mean[j]) * share
      centred[j] = state[j] - mean[j]
    }
    var gain = [Float](repeating: 0, count: columns)
    kernels.dotRows(centred, covariance, columns, columns, &gain)
    let scale = Constants.variance / square
    for j in 0..<columns { gain[j] *= scale }
    let spread = product(centred, gain, kernels)
    guard spread > 0 else { return }
    let before = probabilities(state, votes, kernels)
    var (weights, bias) = (head.weights, head.bias)
    let offset = product(gain, mean, kernels)
    for label in bias.indices {
      let p = before[label]
      let step = ((label == target ? 1 : 0) - p) / (1 + p * (1 - p) * spread)
      for j in 0..<columns { weights[label * dimensions + j] += step * gain[j] }
      bias[label] -= step * offset
    }
    head = LinearHead(weights: weights, bias: bias)
    // The curvature at both ends of the step, of which the larger says how much was learned.
    let after = probabilities(state, votes, kernels)
    let curvature = max(Self.curvature(before), Self.curvature(after))
    let factor = curvature / (1 + curvature * spread) / scale
    for i in 0..<columns {
      let row = -factor * gain[i]
      for j in 0..<columns { covariance[i * columns + j] += row * gain[j] }
    }
  }

  /// The mean curvature of the loss: p (1 - p) for two labels.
  private static func curvature(_ probabilities: [Float]) -> Float {
    (1 - probabilities.reduce(0) { $0 + $1 * $1 }) / 2
  }

  private func probabilities(
    _ state: [Float], _ votes: RBFVotes?, _ kernels: KernelTable
  ) -> [Float] {
    var logits = [Float](repeating: 0, count: head.bias.count)
    head.logits(state, kernels, into: &logits)
    if let votes {
      var closeness = [Float](repeating: 0, count: votes.count)
      logits.withUnsafeMutableBufferPointer {
        votes.add(state, kernels, closeness: &closeness, to: $0)
      }
    }
    CosineLogits.softmax(&logits, temperature: 1)
    return logits
  }

  private func product(_ a: [Float], _ b: [Float], _ kernels: KernelTable) -> Float {
    var result: Float = 0
    kernels.dotRows(a, b, 1, columns, &result)
    return result
  }

  mutating func remove(_ label: Int) {
    var (weights, bias) = (head.weights, head.bias)
    weights.removeSubrange(label * dimensions..<(label + 1) * dimensions)
    bias.remove(at: label)
    head = LinearHead(weights: weights, bias: bias)
  }

  /// Adds a row in proportion to a new label's anchor. The factor is the one by which the other
  /// labels' anchors fit their weights best; at the mean anchor the new logit is the mean one.
  ///
  /// - Parameter anchor: `dimensions` floats.
  mutating func add(anchor: [Float], among labels: LabelSet) {
    let (d, count) = (dimensions, labels.count)
    func mean(_ rows: [Float]) -> [Float] {
      (0..<d).map { j in (0..<count).reduce(0) { $0 + rows[$1 * d + j] } / Float(count) }
    }
    let (meanAnchor, meanWeights) = (mean(labels.anchors), mean(head.weights))
    var (both, squares) = (Float(0), Float(0))
    for i in labels.anchors.indices {
      let deviation = labels.anchors[i] - meanAnchor[i % d]
      both += deviation * (head.weights[i] - meanWeights[i % d])
      squares += deviation * deviation
    }
    let factor = squares > 0 ? max(0, both / squares) : 0
    let row = (0..<d).map { meanWeights[$0] + factor * (anchor[$0] - meanAnchor[$0]) }
    var bias = head.bias.reduce(0, +) / Float(count)
    for j in 0..<d { bias += (meanWeights[j] - row[j]) * meanAnchor[j] }
    head = LinearHead(weights: head.weights + row, bias: head.bias + [bias])
  }
}
