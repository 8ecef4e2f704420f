import VDSQKernels

/// An estimate of the curvature of the loss of logistic regression that all labels share:
///
///     I + strength w sum_i x_i x_i^T,   w = (1 - 1/L) / 2L
///
/// States have a constant 1 for the bias. `p (1 - p)`, by which the curvature for a label weighs an
/// example, is 2w if all labels are equally probable, and less where they are not. L-BFGS that
/// starts with the inverse takes half of the iterations or less (Nocedal and Wright, *Numerical
/// Optimization*, 7.2).
struct RegressionCurvature {
  private let factor: CholeskyFactor
  private let kernels: KernelTable
  private let labels: Int
  private let columns: Int

  /// Returns nil if the factor takes longer than the iterations that it saves.
  init?(_ regression: LogisticRegression) {
    let members = regression.members, d = regression.features.columns
    let count = members.count, labels = regression.labels
    guard 2 * count >= d, 60 * labels * count > d * (d + 3 * count) / 6 else { return nil }
    self.labels = labels
    columns = d
    let arithmetic = regression.arithmetic, size = d + 1
    let length = PackedMatrix.blockLength
    var sums = [Float](repeating: 0, count: size * size)
    let states = Floats(length * d), rows = Floats(length * size)
    sums.withUnsafeMutableBufferPointer { sums in
      for first in stride(from: 0, to: count, by: length) {
        let part = members[first..<min(first + length, count)]
        regression.features.copy(part, into: states.p)
        for i in part.indices {
          let row = rows.p + (i - first) * size
          row.update(from: states.p + (i - first) * d, count: d)
          row[d] = 1
        }
        arithmetic.addProducts(
          of: rows.p, rows: part.count, columns: size, to: sums.baseAddress!)
      }
      let weight = regression.strength * (1 - 1 / Float(labels)) / Float(2 * labels)
      for i in sums.indices { sums[i] *= weight }
      for j in 0..<d { sums[j * (size + 1)] += 1 }
      sums[size * size - 1] += 1 / regression.biasVariance
    }
    guard let factor = CholeskyFactor(sums, size: size, arithmetic: arithmetic) else { return nil }
    self.factor = factor
    kernels = arithmetic.kernels
  }

  /// Replaces a gradient by its product with the inverse.
  ///
  /// - Parameter x: weights `[labels, columns]`, then biases.
  func invert(_ x: inout [Float]) {
    let d = columns
    let rows = rows(x)
    factor.solve(rows.p, count: labels)
    for label in 0..<labels {
      let row = rows.p + label * (d + 1)
      for j in 0..<d { x[label * d + j] = row[j] }
      x[labels * d + label] = row[d]
    }
  }

  /// The product of a gradient with the inverse and itself.
  ///
  /// - Parameter x: weights `[labels, columns]`, then biases.
  func squaredLength(_ x: [Float]) -> Float {
    let rows = rows(x)
    factor.solveLower(rows.p, count: labels)
    var square: Float = 0
    kernels.dotRows(rows.p, rows.p, 1, rows.count, &square)
    return square
  }

  /// `[labels, columns + 1]`: the weights and the bias of each label.
  private func rows(_ x: [Float]) -> Floats {
    let d = columns
    let rows = Floats(labels * (d + 1))
    for label in 0..<labels {
      let row = rows.p + label * (d + 1)
      for j in 0..<d { row[j] = x[label * d + j] }
      row[d] = x[labels * d + label]
    }
    return rows
  }
}
