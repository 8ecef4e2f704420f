package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

/// Gaussian classes with a shared covariance, estimated from some of the examples: class means with
/// the label anchors as prior, and the covariance within classes.
package struct GaussianClasses {
  private let d: Int
  private let count: Int
  private let center: [Float]
  /// `[labels, dimensions]`, centred.
  private let means: [Float]
  private let spread: Spread
  /// The covariance's mean variance.
  private let variance: Float

  /// The covariance, or the deviations that define it if there are fewer examples than dimensions.
  private enum Spread {
    /// `[dimensions, dimensions]`, lower triangle.
    case covariance([Float])
    /// Deviations from class means over the root of their number, `[examples, dimensions]`, and
    /// their products with each other, lower triangle.
    case deviations([Float], products: [Float])

    /// The trace of the covariance, which both forms share.
    func trace(_ d: Int) -> Float {
      switch self {
      case .covariance(let matrix): (0..<d).reduce(0) { $0 + matrix[$1 * d + $1] }
      case .deviations(let rows, let products):
        (0..<rows.count / d).reduce(0) { $0 + products[$1 * (rows.count / d) + $1] }
      }
    }
  }

  /// - Parameters:
  ///   - statistics: statistics of at least as many examples as dimensions.
  ///   - priorCount: the number of examples that a label anchor counts for.
  ///   - centerCount: the number of examples that the prior of the centre, which is 0, counts for.
  /// - Throws: `internalFault` if states are not finite.
  package init(
    _ anchors: LabelSet, _ statistics: ClassStatistics, priorCount: Float,
    centerCount: Float = Hyperparameters.Discriminant.centerCount, _ kernels: KernelTable
  ) throws(VDSQError) {
    let (center, means) = Self.means(
      anchors, statistics, priorCount: priorCount, centerCount: centerCount)
    let d = statistics.dimensions
    let points = means.enumerated().map { $1 + center[$0 % d] }
    try self.init(
      Int(statistics.count), center, means,
      .covariance(statistics.covariance(about: points, kernels)))
  }

  /// - Parameter members: the indices of the training examples.
  package init(
    _ set: TrainingSet, _ members: [Int], priorCount: Float,
    centerCount: Float = Hyperparameters.Discriminant.centerCount, _ kernels: KernelTable
  ) throws(VDSQError) {
    let isFew = members.count < set.columns
    let statistics = set.statistics(of: members, hasScatter: !isFew, kernels)
    guard isFew else {
      try self.init(
        set.anchors, statistics, priorCount: priorCount, centerCount: centerCount, kernels)
      return
    }
    let (center, means) = Self.means(
      set.anchors, statistics, priorCount: priorCount, centerCount: centerCount)
    try self.init(
      members.count, center, means, Self.deviations(set, members, center, means, kernels))
  }

  private init(
    _ count: Int, _ center: [Float], _ means: [Float], _ spread: Spread
  ) throws(VDSQError) {
    d = center.count
    self.count = count
    self.center = center
    self.means = means
    self.spread = spread
    let trace = spread.trace(d)
    guard trace.isFinite else {
      throw VDSQError(.internalFault, "the examples' states are not finite")
    }
    // If every example equals its class mean, any sphere is valid.
    variance = trace > 0 ? trace / Float(d) : 1
  }

  /// The most probable centre and class means about it. The centred and scaled anchors are the
  /// prior of the class means. The centre is what class means share beyond their anchors, with a
  /// prior at 0. Both are estimated together, so that examples of a single label move its mean, not
  /// only the centre.
  private static func means(
    _ labels: LabelSet, _ statistics: ClassStatistics, priorCount: Float, centerCount: Float
  ) -> (center: [Float], means: [Float]) {
    let d = labels.dimensions
    var anchors = labels.anchors
    for j in 0..<d {
      var mean: Float = 0
      for label in 0..<labels.count { mean += anchors[label * d + j] / Float(labels.count) }
      for label in 0..<labels.count { anchors[label * d + j] -= mean }
    }
    let anchorSpread = anchors.reduce(0) { $0 + $1 * $1 } / Float(labels.count)
    let scale =
      anchorSpread > 0
      ? Hyperparameters.Discriminant.anchorLength
        * (statistics.meanSquare / anchorSpread).squareRoot() : 0
    var center = [Float](repeating: 0, count: d)
    var weight = centerCount
    for label in 0..<labels.count where statistics.counts[label] > 0 {
      let n = statistics.counts[label]
      let share = 1 / (1 / priorCount + 1 / n)
      weight += share
      for j in 0..<d {
        center[j] += share * (statistics.sums[label * d + j] / n - scale * anchors[label * d + j])
      }
    }
    for j in 0..<d { center[j] /= weight }
    let means = anchors.enumerated().map { i, x in
      let n = statistics.counts[i / d]
      return (x * scale * priorCount + statistics.sums[i] - n * center[i % d]) / (priorCount + n)
    }
    return (center, means)
  }

  private static func deviations(
    _ set: TrainingSet, _ members: [Int], _ center: [Float], _ means: [Float],
    _ kernels: KernelTable
  ) -> Spread {
    let d = center.count
    let n = members.count
    let scale = 1 / Float(n).squareRoot()
    var rows = [Float](repeating: 0, count: n * d)
    let states = set.features.values
    for (i, example) in members.enumerated() {
      let mean = set.targets[example] * d
      for j in 0..<d {
        rows[i * d + j] = (states[example * d + j] - center[j] - means[mean + j]) * scale
      }
    }
    var products = [Float](repeating: 0, count: n * n)
    products.withUnsafeMutableBufferPointer { products in
      rows.withUnsafeBufferPointer { rows in
        for i in 0..<n {
          kernels.dotRows(
            rows.baseAddress! + i * d, rows.baseAddress!, i + 1, d,
            products.baseAddress! + i * n)
        }
      }
    }
    return .deviations(rows, products: products)
  }

  /// The discriminant functions: weights `C^-1 m` and bias `-m C^-1 m / 2`, adjusted to states that
  /// are not centred.
  ///
  /// - Parameter shrinkageCount: the number of examples that a spherical covariance of the same
  ///   size counts for (the degrees of freedom of its prior). Otherwise the directions of a few
  ///   examples would dominate.
  /// - Throws: `internalFault` if the covariance cannot be inverted.
  package func linearHead(
    shrinkageCount: Float, _ kernels: KernelTable
  ) throws(VDSQError) -> LinearHead {
    let shrinkage = shrinkageCount / (shrinkageCount + Float(count))
    var weights = means
    let labels = means.count / d
    try solve(&weights, shrinkage, kernels)
    var bias = [Float](repeating: 0, count: labels)
    weights.withUnsafeMutableBufferPointer { w in
      for label in 0..<labels {
        let row = w.baseAddress! + label * d
        var half: Float = 0
        var shift: Float = 0
        kernels.dotRows(row, Array(means[label * d..<(label + 1) * d]), 1, d, &half)
        kernels.dotRows(row, center, 1, d, &shift)
        bias[label] = -half / 2 - shift
      }
    }
    return LinearHead(weights: weights, bias: bias)
  }

  /// Replaces rows by the inverse of the shrunk covariance times the rows.
  private func solve(
    _ rows: inout [Float], _ shrinkage: Float, _ kernels: KernelTable
  ) throws(VDSQError) {
    func factor(_ matrix: [Float], _ size: Int, _ diagonal: Float) throws(VDSQError)
      -> CholeskyFactor
    {
      var shrunk = matrix.map { $0 * (1 - shrinkage) }
      for j in 0..<size { shrunk[j * size + j] += diagonal }
      guard let factor = CholeskyFactor(shrunk, size: size, kernels: kernels) else {
        throw VDSQError(.internalFault, "the examples' covariance cannot be inverted")
      }
      return factor
    }
    let ridge = shrinkage * variance
    switch spread {
    case .covariance(let matrix):
      let factor = try factor(matrix, d, ridge)
      rows.withUnsafeMutableBufferPointer {
        for start in stride(from: 0, to: $0.count, by: d) {
          factor.solve($0.baseAddress! + start)
        }
      }
    case .deviations(let deviations, let products):
      // (c I + a R^T R)^-1 m = (m - a R^T (c I + a R R^T)^-1 R m) / c (Woodbury).
      let n = deviations.count / d
      let factor = try factor(products, n, ridge)
      var inner = [Float](repeating: 0, count: n)
      rows.withUnsafeMutableBufferPointer { rows in
        deviations.withUnsafeBufferPointer { deviations in
          for start in stride(from: 0, to: rows.count, by: d) {
            let row = rows.baseAddress! + start
            kernels.dotRows(row, deviations.baseAddress!, n, d, &inner)
            inner.withUnsafeMutableBufferPointer { factor.solve($0.baseAddress!) }
            for i in 0..<n {
              kernels.addScaled(
                -(1 - shrinkage) * inner[i], deviations.baseAddress! + i * d, d, row)
            }
            for j in 0..<d { row[j] /= ridge }
          }
        }
      }
    }
  }
}
