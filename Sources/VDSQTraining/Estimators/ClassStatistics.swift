package import VDSQKernels
import VDSQSemantics

/// Sufficient statistics of Gaussian classes with a shared covariance: the number of examples of
/// each label, their sum, and the scatter within labels. Their size does not depend on the number
/// of examples.
package struct ClassStatistics {
  package let dimensions: Int
  /// `[labels]`.
  package private(set) var counts: [Float]
  /// `[labels, dimensions]`.
  package private(set) var sums: [Float]
  /// Sums of products of deviations from the means of labels, `[dimensions, dimensions]`, lower
  /// triangle; empty if only the squares are needed.
  package private(set) var scatter: [Float]
  /// The sum of squared deviations: the trace of the scatter.
  private var squares: Float

  package init(labels: Int, dimensions: Int, hasScatter: Bool = true) {
    self.init(
      counts: [Float](repeating: 0, count: labels),
      sums: [Float](repeating: 0, count: labels * dimensions),
      scatter: [Float](repeating: 0, count: hasScatter ? dimensions * dimensions : 0),
      dimensions: dimensions)
  }

  package init(counts: [Float], sums: [Float], scatter: [Float], dimensions: Int) {
    self.counts = counts
    self.sums = sums
    self.scatter = scatter
    self.dimensions = dimensions
    squares = stride(from: 0, to: scatter.count, by: dimensions + 1).reduce(0) { $0 + scatter[$1] }
  }

  /// The statistics of some rows, by products of blocks of rows.
  ///
  /// - Parameters:
  ///   - members: the rows, each with its label in `targets`.
  ///   - hasScatter: whether to compute the products of deviations, which take time.
  package init(
    _ features: FeatureMatrix, _ targets: [Int], members: [Int], labels: Int, hasScatter: Bool,
    _ arithmetic: MatrixArithmetic
  ) {
    let d = features.columns, kernels = arithmetic.kernels
    self.init(labels: labels, dimensions: d, hasScatter: hasScatter)
    let length = PackedMatrix.blockLength
    var block = [Float](repeating: 0, count: min(members.count, length) * d)
    /// Calls `body` with the rows of a block.
    func forEachBlock(
      _ body: (_ members: ArraySlice<Int>, _ rows: UnsafeMutablePointer<Float>) -> Void
    ) {
      block.withUnsafeMutableBufferPointer {
        for first in stride(from: 0, to: members.count, by: length) {
          let part = members[first..<min(first + length, members.count)]
          features.copy(part, into: $0.baseAddress!)
          body(part, $0.baseAddress!)
        }
      }
    }
    forEachBlock { part, rows in
      for (i, member) in part.enumerated() {
        counts[targets[member]] += 1
        sums.withUnsafeMutableBufferPointer {
          kernels.addScaled(1, rows + i * d, d, $0.baseAddress! + targets[member] * d)
        }
      }
    }
    let means = self.means
    // Deviations rather than products of states, less those of means, which would cancel.
    forEachBlock { part, rows in
      for (i, member) in part.enumerated() {
        means.withUnsafeBufferPointer {
          kernels.addScaled(-1, $0.baseAddress! + targets[member] * d, d, rows + i * d)
        }
        var square: Float = 0
        kernels.dotRows(rows + i * d, rows + i * d, 1, d, &square)
        squares += square
      }
      guard hasScatter else { return }
      scatter.withUnsafeMutableBufferPointer {
        arithmetic.addProducts(of: rows, rows: part.count, columns: d, to: $0.baseAddress!)
      }
    }
  }

  /// `[labels, dimensions]`: the mean of each label's examples; zeros without examples.
  private var means: [Float] {
    let d = dimensions
    return [Float](unsafeUninitializedCapacity: sums.count) { to, count in
      for label in counts.indices {
        let n = max(counts[label], 1)
        for j in label * d..<(label + 1) * d { to[j] = sums[j] / n }
      }
      count = sums.count
    }
  }

  package var count: Float { counts.reduce(0, +) }

  /// Adds an example by Welford's method, which uses the deviation from the mean before the example
  /// and so avoids cancellation.
  package mutating func add(_ state: UnsafePointer<Float>, _ target: Int, _ kernels: KernelTable) {
    let d = dimensions
    let n = counts[target]
    if n > 0 {
      var deviation = [Float](repeating: 0, count: d)
      for j in 0..<d { deviation[j] = state[j] - sums[target * d + j] / n }
      addProduct(deviation, n / (n + 1), kernels)
    }
    counts[target] = n + 1
    for j in 0..<d { sums[target * d + j] += state[j] }
  }

  private mutating func addProduct(_ x: [Float], _ weight: Float, _ kernels: KernelTable) {
    let d = dimensions
    var square: Float = 0
    kernels.dotRows(x, x, 1, d, &square)
    squares += weight * square
    if scatter.isEmpty { return }
    scatter.withUnsafeMutableBufferPointer {
      for j in 0..<d { kernels.addScaled(weight * x[j], x, j + 1, $0.baseAddress! + j * d) }
    }
  }

  package mutating func addLabel() {
    counts.append(0)
    sums += [Float](repeating: 0, count: dimensions)
  }

  /// Removes the examples of a label. The scatter is shared by all labels, so it is scaled by the
  /// share of the remaining examples.
  package mutating func removeLabel(_ label: Int) {
    let all = count
    let share = all > 0 ? (all - counts[label]) / all : 0
    for i in scatter.indices { scatter[i] *= share }
    squares *= share
    counts.remove(at: label)
    sums.removeSubrange(label * dimensions..<(label + 1) * dimensions)
  }

  /// The scatter about other points than the means of labels, divided by the number of examples;
  /// the lower triangle of `[dimensions, dimensions]`.
  ///
  /// - Parameter points: `[labels, dimensions]`.
  package func covariance(about points: [Float], _ arithmetic: MatrixArithmetic) -> [Float] {
    let d = dimensions, n = count
    let deviations = deviations(from: points)
    var moved = scatter
    moved.withUnsafeMutableBufferPointer {
      arithmetic.addProducts(
        of: deviations, rows: deviations.count / d, columns: d, to: $0.baseAddress!)
      for i in $0.indices { $0[i] /= n }
    }
    return moved
  }

  /// The trace of that.
  package func trace(about points: [Float]) -> Float {
    (squares + deviations(from: points).reduce(0) { $0 + $1 * $1 }) / count
  }

  /// The deviations of the means of labels from points, times the roots of their counts; a row for
  /// each label with examples.
  private func deviations(from points: [Float]) -> [Float] {
    let d = dimensions
    var deviations: [Float] = []
    for label in counts.indices where counts[label] > 0 {
      let weight = counts[label].squareRoot()
      for j in label * d..<(label + 1) * d {
        deviations.append((sums[j] / counts[label] - points[j]) * weight)
      }
    }
    return deviations
  }

  /// The mean variance of a component within labels. The variance of all examples is its prior,
  /// because labels with a single example have none of their own.
  package var varianceWithinLabels: Float {
    let n = count
    guard n > 1 else { return meanSquare / Float(dimensions) }
    var mean = [Float](repeating: 0, count: dimensions)
    for (i, sum) in sums.enumerated() { mean[i % dimensions] += sum / n }
    let center = mean.reduce(0) { $0 + $1 * $1 }
    let all = max(0, meanSquare - center) * n / (n - 1)
    let prior = Hyperparameters.Reliability.varianceCount
    let degrees = n - Float(counts.count { $0 > 0 })
    return (squares + prior * all) / (degrees + prior) / Float(dimensions)
  }

  /// The mean squared length of examples.
  package var meanSquare: Float {
    var total = squares
    for (i, sum) in sums.enumerated() where sum != 0 { total += sum * sum / counts[i / dimensions] }
    return total / count
  }
}
