package import VDSQKernels

/// The Cholesky factor L of a symmetric positive definite matrix `A = L L^T`, and solutions with
/// it.
///
/// The factorisation takes `size^3 / 6` multiplications. It is implemented here because the device
/// has no LAPACK.
package struct CholeskyFactor {
  private let size: Int
  /// Lower triangle, row-major.
  private var factor: [Float]
  private let kernels: KernelTable

  /// Returns nil if the matrix is not positive definite.
  ///
  /// - Parameter matrix: `[size, size]`; only the lower triangle is read.
  package init?(_ matrix: [Float], size: Int, kernels: KernelTable) {
    self.size = size
    self.kernels = kernels
    factor = matrix
    let definite = factor.withUnsafeMutableBufferPointer { l in
      let base = l.baseAddress!
      for i in 0..<size {
        let row = base + i * size
        for j in 0...i {
          var dot: Float = 0
          kernels.dotRows(row, base + j * size, 1, j, &dot)
          let rest = row[j] - dot
          if j < i {
            row[j] = rest / base[j * size + j]
          } else {
            guard rest > 0, rest.isFinite else { return false }
            row[i] = rest.squareRoot()
          }
        }
      }
      return true
    }
    if !definite { return nil }
  }

  /// Replaces `x` by the solution of the system with it on the right side.
  package func solve(_ x: UnsafeMutablePointer<Float>) {
    solveLower(x)
    solveUpper(x)
  }

  /// Replaces `x` by `L^-1 x`, of the factor `L`.
  package func solveLower(_ x: UnsafeMutablePointer<Float>) {
    factor.withUnsafeBufferPointer { l in
      let base = l.baseAddress!
      for i in 0..<size {
        var dot: Float = 0
        kernels.dotRows(x, base + i * size, 1, i, &dot)
        x[i] = (x[i] - dot) / base[i * size + i]
      }
    }
  }

  /// Replaces `x` by `L^-T x`.
  package func solveUpper(_ x: UnsafeMutablePointer<Float>) {
    factor.withUnsafeBufferPointer { l in
      let base = l.baseAddress!
      for i in (0..<size).reversed() {
        x[i] /= base[i * size + i]
        kernels.addScaled(-x[i], base + i * size, i, x)
      }
    }
  }
}
