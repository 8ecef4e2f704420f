import VDSQInference

/// The vectors of items about their mean, read in blocks. Distances are those of the vectors
/// themselves; about the mean, their products have fewer digits to lose.
struct CentredStates {
  private let features: FeatureMatrix
  private let mean: [Float]

  var count: Int { features.rows }
  var dimensions: Int { features.columns }

  /// - Parameter features: at least one row. Intermediate features are left out.
  init(_ features: FeatureMatrix) {
    self.features = features.prefix(features: 0)
    let d = self.features.columns
    var sums = [Double](repeating: 0, count: d)
    for row in 0..<features.rows {
      self.features.withRow(row) { for j in 0..<d { sums[j] += Double($0[j]) } }
    }
    mean = sums.map { Float($0 / Double(features.rows)) }
  }

  /// Some items: `[members.count, dimensions]`.
  func gathered(_ members: some Collection<Int>) -> Floats {
    let rows = Floats(members.count * dimensions)
    features.copy(members, into: rows.p)
    for i in 0..<rows.count { rows.p[i] -= mean[i % dimensions] }
    return rows
  }

  /// Calls `body` with the first item, the number of items and the rows of each block.
  func forEachBlock(_ body: (_ first: Int, _ count: Int, UnsafePointer<Float>) -> Void) {
    for first in stride(from: 0, to: count, by: PackedMatrix.blockLength) {
      let end = min(first + PackedMatrix.blockLength, count)
      let rows = gathered(first..<end)
      withExtendedLifetime(rows) { body(first, end - first, rows.p) }
    }
  }

  /// The mean of some items.
  func centre(of members: [Int]) -> [Float] {
    var sums = [Double](repeating: 0, count: dimensions)
    for row in members {
      features.withRow(row) {
        for j in 0..<dimensions { sums[j] += Double($0[j]) - Double(mean[j]) }
      }
    }
    return sums.map { Float($0 / Double(members.count)) }
  }

  /// The principal components with the largest variances, and the variance of all components
  /// together.
  func principalComponents(
    _ wanted: Int, arithmetic: MatrixArithmetic
  ) -> (components: DominantEigenvectors, variance: Float) {
    let d = dimensions
    var total = 0.0
    forEachBlock { _, count, rows in
      for i in 0..<count * d { total += Double(rows[i]) * Double(rows[i]) }
    }
    let components = DominantEigenvectors(wanted, dimensions: d) { basis in
      var sums = [Float](repeating: 0, count: basis.count)
      let packed = arithmetic.packed(basis, rows: basis.count / d, columns: d)
      let products = Floats(PackedMatrix.blockLength * packed.rows)
      forEachBlock { _, count, rows in
        arithmetic.multiply(rows, rows: count, packed, products.p)
        sums.withUnsafeMutableBufferPointer { sums in
          for row in 0..<count {
            for i in 0..<packed.rows {
              arithmetic.kernels.addScaled(
                products.p[row * packed.rows + i] / Float(self.count), rows + row * d, d,
                sums.baseAddress! + i * d)
            }
          }
        }
      }
      return sums
    }
    return (components, Float(total / Double(count)))
  }
}
