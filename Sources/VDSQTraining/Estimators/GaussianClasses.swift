package import VDSQFormat
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

  /// What defines the covariance: the scatter, or deviations if there are fewer examples than
  /// dimensions.
  private enum Spread {
    /// The scatter of the examples about other points than class means. The covariance is as large,
    /// and made of it for each factorisation.
    case scatter(ClassStatistics, about: [Float])
    /// Deviations from class means over the root of their number, `[examples, dimensions]`, and
    /// their products with each other, lower triangle.
    case deviations([Float], products: [Float])

    /// The trace of the covariance, which both forms share.
    func trace(_ d: Int) -> Float {
      switch self {
      case .scatter(let statistics, let points): statistics.trace(about: points)
      case .deviations(let rows, let products):
        (0..<rows.count / d).reduce(0) { $0 + products[$1 * (rows.count / d) + $1] }
      }
    }
  }

  /// - Parameters:
  ///   - prior: the prior means.
  ///   - statistics: statistics of at least as many examples as dimensions.
  ///   - priorCount: the number of examples that a trusted prior mean counts for.
  ///   - centerCount: the number of examples that the prior of the centre, which is 0, counts for.
  /// - Throws: `internalFault` if states are not finite.
  package init(
    _ prior: AnchorPrior, _ statistics: ClassStatistics, priorCount: Float,
    centerCount: Float = Hyperparameters.Discriminant.centerCount
  ) throws(VDSQError) {
    let (center, means) = Self.means(
      prior, statistics, priorCount: priorCount, centerCount: centerCount)
    let d = statistics.dimensions
    let points = means.enumerated().map { $1 + center[$0 % d] }
    try self.init(Int(statistics.count), center, means, .scatter(statistics, about: points))
  }

  /// - Parameter members: the indices of the training examples.
  package init(
    _ set: TrainingSet, _ members: [Int], priorCount: Float,
    centerCount: Float = Hyperparameters.Discriminant.centerCount, _ arithmetic: MatrixArithmetic
  ) throws(VDSQError) {
    let isFew = Self.areFew(members.count, set.columns)
    let statistics = set.statistics(of: members, hasScatter: !isFew, arithmetic)
    let prior = set.prior(statistics)
    guard isFew else {
      try self.init(
        prior, statistics, priorCount: priorCount, centerCount: centerCount)
      return
    }
    let (center, means) = Self.means(
      prior, statistics, priorCount: priorCount, centerCount: centerCount)
    try self.init(
      members.count, center, means, Self.deviations(set, members, center, means, arithmetic))
  }

  /// Whether there are so few examples that products of their deviations with each other take less
  /// time than the covariance, which is the same for all prior counts.
  package static func areFew(_ count: Int, _ columns: Int) -> Bool {
    4 * count < 3 * columns
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

  /// The most probable centre and class means about it. The centre is what class means share beyond
  /// their prior means, with a prior at 0. Both are estimated together, so that examples of a single
  /// label move its mean, not only the centre.
  private static func means(
    _ prior: AnchorPrior, _ statistics: ClassStatistics, priorCount: Float, centerCount: Float
  ) -> (center: [Float], means: [Float]) {
    let d = statistics.dimensions
    let priorCounts = prior.counts(priorCount)
    var center = [Float](repeating: 0, count: d)
    var weight = centerCount
    for label in priorCounts.indices where statistics.counts[label] > 0 {
      let n = statistics.counts[label]
      let share = 1 / (1 / priorCounts[label] + 1 / n)
      weight += share
      for j in 0..<d {
        center[j] += share * (statistics.sums[label * d + j] / n - prior.means[label * d + j])
      }
    }
    for j in 0..<d { center[j] /= weight }
    let means = prior.means.enumerated().map { i, x in
      let n = statistics.counts[i / d]
      let count = priorCounts[i / d]
      return (x * count + statistics.sums[i] - n * center[i % d]) / (count + n)
    }
    return (center, means)
  }

  private static func deviations(
    _ set: TrainingSet, _ members: [Int], _ center: [Float], _ means: [Float],
    _ arithmetic: MatrixArithmetic
  ) -> Spread {
    let d = center.count
    let n = members.count
    let scale = 1 / Float(n).squareRoot()
    var rows = set.features.gathered(members)
    var products = [Float](repeating: 0, count: n * n)
    rows.withUnsafeMutableBufferPointer { rows in
      let rows = rows.baseAddress!
      for (i, example) in members.enumerated() {
        let mean = set.targets[example] * d
        for j in 0..<d { rows[i * d + j] = (rows[i * d + j] - center[j] - means[mean + j]) * scale }
      }
      products.withUnsafeMutableBufferPointer {
        let packed = arithmetic.packed(rows, rows: n, columns: d)
        arithmetic.multiplyLower(rows, packed, $0.baseAddress!)
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
    shrinkageCount: Float, _ arithmetic: MatrixArithmetic
  ) throws(VDSQError) -> LinearHead {
    let kernels = arithmetic.kernels
    let shrinkage = shrinkageCount / (shrinkageCount + Float(count))
    var weights = means
    let labels = means.count / d
    try solve(&weights, shrinkage, arithmetic)
    var bias = [Float](repeating: 0, count: labels)
    weights.withUnsafeBufferPointer { w in
      means.withUnsafeBufferPointer { means in
        for label in 0..<labels {
          let row = w.baseAddress! + label * d
          var half: Float = 0
          var shift: Float = 0
          kernels.dotRows(row, means.baseAddress! + label * d, 1, d, &half)
          kernels.dotRows(row, center, 1, d, &shift)
          bias[label] = -half / 2 - shift
        }
      }
    }
    return LinearHead(weights: weights, bias: bias)
  }

  /// The factor of a shrunk matrix.
  private static func factor(
    _ matrix: consuming [Float], _ size: Int, shrinkage: Float, _ diagonal: Float,
    _ arithmetic: MatrixArithmetic
  ) throws(VDSQError) -> CholeskyFactor {
    var shrunk = matrix
    shrunk.withUnsafeMutableBufferPointer {
      for i in $0.indices { $0[i] *= 1 - shrinkage }
      for j in 0..<size { $0[j * size + j] += diagonal }
    }
    guard let factor = CholeskyFactor(shrunk, size: size, arithmetic: arithmetic) else {
      throw VDSQError(.internalFault, "the examples' covariance cannot be inverted")
    }
    return factor
  }

  /// Replaces rows by the inverse of the shrunk covariance times the rows.
  private func solve(
    _ rows: inout [Float], _ shrinkage: Float, _ arithmetic: MatrixArithmetic
  ) throws(VDSQError) {
    let ridge = shrinkage * variance
    let labels = rows.count / d
    switch spread {
    case .scatter(let statistics, let points):
      let factor = try Self.factor(
        statistics.covariance(about: points, arithmetic), d, shrinkage: shrinkage, ridge, arithmetic)
      rows.withUnsafeMutableBufferPointer { factor.solve($0.baseAddress!, count: labels) }
    case .deviations(let deviations, let products):
      // (c I + a R^T R)^-1 m = (m - a R^T (c I + a R R^T)^-1 R m) / c (Woodbury).
      let n = deviations.count / d
      let factor = try Self.factor(
        products, n, shrinkage: shrinkage, ridge, arithmetic)
      var inner = [Float](repeating: 0, count: labels * n)
      rows.withUnsafeMutableBufferPointer { rows in
        let rows = rows.baseAddress!
        inner.withUnsafeMutableBufferPointer { inner in
          let inner = inner.baseAddress!
          arithmetic.multiply(
            rows, rows: labels, arithmetic.packed(deviations, rows: n, columns: d), inner)
          factor.solve(inner, count: labels)
          for i in 0..<labels * n { inner[i] *= 1 - shrinkage }
          let transposed = PackedMatrix(rows: d, columns: n)
          arithmetic.together(multiplications: labels * n * d) { worker in
            let own = worker.share(of: transposed.panels)
            transposed.pack(transposed: deviations, stride: d, own)
            arithmetic.multiply(
              inner, xStride: n, rows: 0..<labels, transposed, panels: own, .subtract, rows,
              yStride: d)
          }
        }
        for i in 0..<labels * d { rows[i] /= ridge }
      }
    }
  }
}
