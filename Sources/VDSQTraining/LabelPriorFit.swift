import VDSQFormat
import VDSQKernels
import VDSQSemantics

extension LabelPrior {
  /// Class means and the covariance within classes, from some of the examples.
  struct Fit {
    private let d: Int
    private let count: Int
    private let center: [Float]
    /// `[labels, dimensions]`, centred.
    private let means: [Float]
    private let spread: Spread
    /// The covariance's mean variance.
    private let variance: Float

    /// The covariance, or where there are fewer examples than dimensions what it is made of.
    private enum Spread {
      /// `[dimensions, dimensions]`, lower triangle.
      case covariance([Float])
      /// Deviations from class means over the root of their number, `[examples, dimensions]`, and their
      /// products with each other, lower triangle.
      case deviations([Float], products: [Float])

      /// The covariance's trace; both matrices have the same.
      func trace(_ d: Int) -> Float {
        switch self {
        case .covariance(let matrix): (0..<d).reduce(0) { $0 + matrix[$1 * d + $1] }
        case .deviations(let rows, let products):
          (0..<rows.count / d).reduce(0) { $0 + products[$1 * (rows.count / d) + $1] }
        }
      }
    }

    /// - Parameters:
    ///   - moments: of as many examples as there are dimensions, or more.
    ///   - anchor: how many examples a label's anchor is worth.
    ///   - centerExamples: how many examples no center at all is worth.
    init(
      _ labels: LabelSet, _ moments: Moments, anchor: Float,
      centerExamples: Float = LabelPrior.centerExamples, _ kernels: KernelTable
    ) throws(VDSQError) {
      let (center, means) = Self.means(
        labels, moments, anchor: anchor, centerExamples: centerExamples)
      let d = moments.dimensions
      let points = means.enumerated().map { $1 + center[$0 % d] }
      try self.init(
        Int(moments.count), center, means,
        .covariance(moments.covariance(about: points, kernels)))
    }

    /// - Parameter members: those of the task's examples that are learned from.
    init(
      _ task: Task, _ members: [Int], anchor: Float,
      centerExamples: Float = LabelPrior.centerExamples, _ kernels: KernelTable
    ) throws(VDSQError) {
      let d = task.labels.dimensions
      let isFew = members.count < d
      let moments = task.moments(members, hasScatter: !isFew, kernels)
      guard isFew else {
        try self.init(
          task.labels, moments, anchor: anchor, centerExamples: centerExamples, kernels)
        return
      }
      let (center, means) = Self.means(
        task.labels, moments, anchor: anchor, centerExamples: centerExamples)
      try self.init(
        members.count, center, means, Self.deviations(task, members, center, means, kernels))
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
      // Where every example is its class's mean, any sphere does.
      variance = trace > 0 ? trace / Float(d) : 1
    }

    /// Where texts lie and class means about it, both most probable: the anchors are the means' prior, about their
    /// own mean and shorter than states; what class means have in common beyond their anchors is the center, as far as
    /// examples outweigh that there is none. Examples of a single label so move its mean, not only the center.
    private static func means(
      _ labels: LabelSet, _ moments: Moments, anchor: Float, centerExamples: Float
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
        ? LabelPrior.anchorLength * (moments.meanSquare / anchorSpread).squareRoot() : 0
      var center = [Float](repeating: 0, count: d)
      var weight = centerExamples
      for label in 0..<labels.count where moments.counts[label] > 0 {
        let n = moments.counts[label]
        let share = 1 / (1 / anchor + 1 / n)
        weight += share
        for j in 0..<d {
          center[j] += share * (moments.sums[label * d + j] / n - scale * anchors[label * d + j])
        }
      }
      for j in 0..<d { center[j] /= weight }
      let means = anchors.enumerated().map { i, x in
        let n = moments.counts[i / d]
        return (x * scale * anchor + moments.sums[i] - n * center[i % d]) / (anchor + n)
      }
      return (center, means)
    }

    private static func deviations(
      _ task: Task, _ members: [Int], _ center: [Float], _ means: [Float], _ kernels: KernelTable
    ) -> Spread {
      let d = center.count
      let n = members.count
      let scale = 1 / Float(n).squareRoot()
      var rows = [Float](repeating: 0, count: n * d)
      for (i, example) in members.enumerated() {
        let mean = task.targets[example] * d
        for j in 0..<d {
          rows[i * d + j] = (task.states[example * d + j] - center[j] - means[mean + j]) * scale
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

    /// The discriminant functions: weights `C^-1 m`, bias `-m C^-1 m / 2`, moved to states that are not centred.
    ///
    /// - Parameter examples: how many examples a sphere of the covariance's size is worth (its prior's degrees of
    ///   freedom): the directions of a few examples would otherwise stick out of the rest.
    func head(
      _ examples: Float, _ kernels: KernelTable
    ) throws(VDSQError) -> LinearHead {
      let sphere = examples / (examples + Float(count))
      var weights = means
      let labels = means.count / d
      try solve(&weights, sphere, kernels)
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

    /// Replaces rows by the shrunk covariance's inverse times them.
    private func solve(
      _ rows: inout [Float], _ sphere: Float, _ kernels: KernelTable
    ) throws(VDSQError) {
      func system(_ matrix: [Float], _ size: Int, _ diagonal: Float) throws(VDSQError)
        -> SymmetricSystem
      {
        var shrunk = matrix.map { $0 * (1 - sphere) }
        for j in 0..<size { shrunk[j * size + j] += diagonal }
        guard let system = SymmetricSystem(shrunk, size: size, kernels: kernels) else {
          throw VDSQError(.internalFault, "the examples' covariance cannot be inverted")
        }
        return system
      }
      let ridge = sphere * variance
      switch spread {
      case .covariance(let matrix):
        let system = try system(matrix, d, ridge)
        rows.withUnsafeMutableBufferPointer {
          for start in stride(from: 0, to: $0.count, by: d) {
            system.solve($0.baseAddress! + start)
          }
        }
      case .deviations(let deviations, let products):
        // (c I + a R^T R)^-1 m = (m - a R^T (c I + a R R^T)^-1 R m) / c (Woodbury).
        let n = deviations.count / d
        let system = try system(products, n, ridge)
        var inner = [Float](repeating: 0, count: n)
        rows.withUnsafeMutableBufferPointer { rows in
          deviations.withUnsafeBufferPointer { deviations in
            for start in stride(from: 0, to: rows.count, by: d) {
              let row = rows.baseAddress! + start
              kernels.dotRows(row, deviations.baseAddress!, n, d, &inner)
              inner.withUnsafeMutableBufferPointer { system.solve($0.baseAddress!) }
              for i in 0..<n {
                kernels.addScaled(
                  -(1 - sphere) * inner[i], deviations.baseAddress! + i * d, d, row)
              }
              for j in 0..<d { row[j] /= ridge }
            }
          }
        }
      }
    }
  }
}
