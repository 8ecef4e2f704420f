import Glibc
import VDSQSemantics

/// The eigenvectors of the largest eigenvalues of a symmetric, positive semidefinite matrix that is
/// known by its products: subspace iteration with Rayleigh-Ritz projections.
package struct DominantEigenvectors {
  /// `[values.count, dimensions]`, of length 1, the largest eigenvalue first. The largest component
  /// of each is positive, because the sign of an eigenvector means nothing.
  package let vectors: [Float]
  package let values: [Float]

  /// The vectors one by one.
  var rows: [[Float]] {
    let d = vectors.count / max(1, values.count)
    return values.indices.map { Array(vectors[$0 * d..<($0 + 1) * d]) }
  }

  /// The share of the trace that each eigenvalue has; 0 if the trace is 0.
  func shares(of trace: Float) -> [Float] { values.map { trace > 0 ? $0 / trace : 0 } }

  /// Vectors that are iterated beside those that are wanted, so that these converge faster.
  private static let guards = 6
  private static let mostRounds = 300
  /// The residual of a vector, as a share of the largest eigenvalue, at which it has converged.
  private static let tolerance = 1e-5

  /// - Parameters:
  ///   - count: the number of vectors; fewer are found if there are fewer dimensions.
  ///   - multiply: receives `[rows, dimensions]` and returns the matrix times each row.
  package init(
    _ count: Int, dimensions d: Int, multiply: (_ rows: [Float]) -> [Float]
  ) {
    let m = min(count + Self.guards, d), wanted = min(count, d)
    var random = SplitMix64(seed: 1)
    var basis = (0..<m * d).map { _ in random.nextNormal() }
    Self.orthonormalize(&basis, d)
    var vectors = basis, values: [Float] = []
    for _ in 0..<Self.mostRounds {
      let products = multiply(basis)
      let (rotation, eigenvalues) = SymmetricEigen.jacobi(
        Self.products(basis, products, d), m)
      vectors = Self.rotated(basis, by: rotation, d)
      let images = Self.rotated(products, by: rotation, d)
      values = eigenvalues.map { Float(max(0, $0)) }
      let residual = (0..<wanted).map { i in
        (i * d..<(i + 1) * d).reduce(0.0) {
          let error = Double(images[$1]) - eigenvalues[i] * Double(vectors[$1])
          return $0 + error * error
        }
      }.max()!.squareRoot()
      if residual <= Self.tolerance * max(eigenvalues[0], .leastNormalMagnitude) { break }
      basis = images
      Self.orthonormalize(&basis, d)
    }
    self.values = Array(values.prefix(wanted))
    self.vectors = Self.signed(Array(vectors.prefix(wanted * d)), d)
  }

  private static func products(_ a: [Float], _ b: [Float], _ d: Int) -> [Double] {
    let m = a.count / d
    return (0..<m * m).map { (place: Int) -> Double in
      let (i, j) = (place / m * d, place % m * d)
      return (0..<d).reduce(0.0) { $0 + Double(a[i + $1]) * Double(b[j + $1]) }
    }
  }

  /// Combinations of rows: row i has the weights of column i of the rotation.
  private static func rotated(_ rows: [Float], by rotation: [Double], _ d: Int) -> [Float] {
    let m = rows.count / d
    return (0..<m * d).map { (place: Int) -> Float in
      let (i, k) = (place / d, place % d)
      var sum = 0.0
      for row in 0..<m { sum += rotation[row * m + i] * Double(rows[row * d + k]) }
      return Float(sum)
    }
  }

  /// The Gram-Schmidt process, twice, because once loses orthogonality. A row that depends on those
  /// before it becomes zero.
  private static func orthonormalize(_ rows: inout [Float], _ d: Int) {
    for i in 0..<rows.count / d {
      let before = (0..<d).reduce(0.0) { $0 + Double(rows[i * d + $1]) * Double(rows[i * d + $1]) }
      for _ in 0..<2 {
        for j in 0..<i {
          let dot = (0..<d).reduce(0.0) { $0 + Double(rows[i * d + $1]) * Double(rows[j * d + $1]) }
          for k in 0..<d { rows[i * d + k] -= Float(dot) * rows[j * d + k] }
        }
      }
      let square = (0..<d).reduce(0.0) { $0 + Double(rows[i * d + $1]) * Double(rows[i * d + $1]) }
      let factor = square > 1e-12 * before ? Float(1 / square.squareRoot()) : 0
      for k in 0..<d { rows[i * d + k] *= factor }
    }
  }

  private static func signed(_ rows: [Float], _ d: Int) -> [Float] {
    var rows = rows
    for i in stride(from: 0, to: rows.count, by: d) {
      let largest = (i..<i + d).max { rows[$0].magnitude < rows[$1].magnitude }!
      if rows[largest] < 0 { for k in i..<i + d { rows[k] = -rows[k] } }
    }
    return rows
  }
}

/// All eigenvectors of a small symmetric matrix.
enum SymmetricEigen {
  /// Jacobi's method of rotations.
  ///
  /// - Parameter a: `[m, m]`; the mean of both triangles counts.
  /// - Returns: the eigenvectors as columns of `[m, m]`, the largest eigenvalue first.
  static func jacobi(_ a: [Double], _ m: Int) -> (vectors: [Double], values: [Double]) {
    var a = (0..<m * m).map { (place: Int) -> Double in
      0.5 * (a[place] + a[place % m * m + place / m])
    }
    var v = (0..<m * m).map { (place: Int) -> Double in place / m == place % m ? 1 : 0 }
    for _ in 0..<60 {
      var off = 0.0, all = 0.0
      for i in 0..<m * m {
        all += a[i] * a[i]
        if i / m != i % m { off += a[i] * a[i] }
      }
      if off <= 1e-26 * all { break }
      for p in 0..<m {
        for q in p + 1..<max(p + 1, m) where a[p * m + q] != 0 {
          let theta = (a[q * m + q] - a[p * m + p]) / (2 * a[p * m + q])
          let t = (theta < 0 ? -1 : 1) / (theta.magnitude + (theta * theta + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot(), s = t * c
          for k in 0..<m {
            let (x, y) = (a[k * m + p], a[k * m + q])
            (a[k * m + p], a[k * m + q]) = (c * x - s * y, s * x + c * y)
          }
          for k in 0..<m {
            let (x, y) = (a[p * m + k], a[q * m + k])
            (a[p * m + k], a[q * m + k]) = (c * x - s * y, s * x + c * y)
            let (u, w) = (v[k * m + p], v[k * m + q])
            (v[k * m + p], v[k * m + q]) = (c * u - s * w, s * u + c * w)
          }
        }
      }
    }
    let order = (0..<m).sorted { a[$0 * m + $0] > a[$1 * m + $1] }
    let vectors = (0..<m * m).map { (place: Int) -> Double in
      v[place / m * m + order[place % m]]
    }
    return (vectors, order.map { a[$0 * m + $0] })
  }
}
