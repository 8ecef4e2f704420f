/// Points in the plane whose distances are close to given ones: classical scaling (Torgerson 1952),
/// the two largest eigenvectors of the centred squared distances.
package struct PrincipalCoordinates: Sendable {
  /// `[count]`: the places.
  package let points: [(x: Double, y: Double)]
  /// The share of the positive eigenvalues' sum that the two have, 0 to 1.
  package let share: Double

  /// - Parameter distances: symmetric, `[count][count]`.
  package init(_ distances: [[Double]]) {
    let n = distances.count
    var squares = distances.map { $0.map { -0.5 * $0 * $0 } }
    let means = squares.map { $0.reduce(0, +) / Double(max(1, n)) }
    let mean = means.reduce(0, +) / Double(max(1, n))
    for i in 0..<n {
      for j in 0..<n { squares[i][j] += mean - means[i] - means[j] }
    }
    let (values, vectors) = SymmetricEigenvalues.all(of: squares)
    let order = values.indices.sorted { values[$0] > values[$1] }
    func coordinate(_ place: Int, _ item: Int) -> Double {
      guard place < n, values[order[place]] > 0 else { return 0 }
      return vectors[order[place]][item] * values[order[place]].squareRoot()
    }
    points = (0..<n).map { (coordinate(0, $0), coordinate(1, $0)) }
    let positive = values.reduce(0) { $0 + max(0, $1) }
    share =
      positive > 0 ? order.prefix(2).reduce(0) { $0 + max(0, values[$1]) } / positive : 0
  }
}

/// Eigenvalues of small symmetric matrices.
enum SymmetricEigenvalues {
  /// All eigenvalues and eigenvectors, by Jacobi's rotations (Golub and Van Loan, 8.5). Each vector
  /// has a positive element of largest magnitude.
  static func all(of matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    let n = matrix.count
    var a = matrix
    // Rows are eigenvectors.
    var v = (0..<n).map { i in (0..<n).map { $0 == i ? 1.0 : 0 } }
    for _ in 0..<64 {
      var (off, on) = (0.0, 0.0)
      for i in 0..<n {
        on += a[i][i] * a[i][i]
        for j in 0..<i { off += a[i][j] * a[i][j] }
      }
      guard off > 1e-26 * (on + off) else { break }
      for p in 0..<n {
        for q in (p + 1)..<max(p + 1, n) where a[p][q] != 0 {
          let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
          let t = (theta < 0 ? -1 : 1) / (theta.magnitude + (theta * theta + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot(), s = t * c
          for k in 0..<n {
            let (x, y) = (a[k][p], a[k][q])
            (a[k][p], a[k][q]) = (c * x - s * y, s * x + c * y)
          }
          for k in 0..<n {
            let (x, y) = (a[p][k], a[q][k])
            (a[p][k], a[q][k]) = (c * x - s * y, s * x + c * y)
            let (u, w) = (v[p][k], v[q][k])
            (v[p][k], v[q][k]) = (c * u - s * w, s * u + c * w)
          }
        }
      }
    }
    for i in 0..<n {
      if let largest = v[i].max(by: { $0.magnitude < $1.magnitude }), largest < 0 {
        v[i] = v[i].map { -$0 }
      }
    }
    return ((0..<n).map { a[$0][$0] }, v)
  }
}
