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
    let (vectors, values) = SymmetricEigen.jacobi(squares.flatMap(\.self), n)
    func axis(_ place: Int) -> [Double] {
      guard place < n, values[place] > 0 else { return [Double](repeating: 0, count: n) }
      let own = (0..<n).map { vectors[$0 * n + place] * values[place].squareRoot() }
      // The element of largest magnitude is positive.
      let isNegative = (own.max { $0.magnitude < $1.magnitude } ?? 0) < 0
      return isNegative ? own.map { -$0 } : own
    }
    points = zip(axis(0), axis(1)).map { ($0, $1) }
    let positive = values.reduce(0) { $0 + max(0, $1) }
    share =
      positive > 0 ? values.prefix(2).reduce(0) { $0 + max(0, $1) } / positive : 0
  }
}
