/// How the error of a rounded weight is made up for by the weights behind it in its row (GPTQ,
/// Frantar et al., arXiv 2210.17323).
///
/// For inputs X of a linear layer, an error d of a row of weights costs `d^T H d` with
/// `H = X^T X + damping`. Let U be upper triangular with `U^T U = H^-1`. If weight j is rounded with
/// the error e, the best correction takes `e U_jk / U_jj` out of each weight k behind it. What
/// remains of the error costs `(e / U_jj)^2`.
package struct RoundingFeedback {
  /// A share of the mean of H's diagonal, which is added to it: the calibration text has fewer
  /// tokens than some layers have columns.
  private static let damping = 0.05

  /// `[columns, columns]`: `U_jk / U_jj` for k > j, otherwise 0.
  package let shares: [Float]
  /// `[columns]`: `1 / U_jj^2`, at most 1.
  package let costs: [Float]

  /// - Parameter moments: `[columns, columns]`, in column order: the lower triangle of `X^T X`. It
  ///   is destroyed.
  /// - Returns: nil if the inputs are zeros or not finite.
  package init?(moments h: inout [Double], columns n: Int, _ algebra: LinearAlgebra) {
    let mean = (0..<n).reduce(0.0) { $0 + h[$1 * n + $1] } / Double(n)
    guard mean > 0, mean.isFinite else { return nil }
    for j in 0..<n { h[j * n + j] += Self.damping * mean }
    let isFactored = h.withUnsafeMutableBufferPointer { h in
      algebra.invert(h.baseAddress!, n: n) && algebra.factor(h.baseAddress!, n: n)
    }
    guard isFactored else { return nil }
    // Column j of the lower factor of H^-1 is row j of U.
    var shares = [Float](repeating: 0, count: n * n)
    var costs = (0..<n).map { (j: Int) -> Double in 1 / (h[j * n + j] * h[j * n + j]) }
    let largest = costs.max() ?? 1
    for j in 0..<n {
      costs[j] /= largest
      let inverse = 1 / h[j * n + j]
      for k in j + 1..<max(j + 1, n) { shares[j * n + k] = Float(h[j * n + k] * inverse) }
    }
    self.shares = shares
    self.costs = costs.map { Float($0) }
  }
}
