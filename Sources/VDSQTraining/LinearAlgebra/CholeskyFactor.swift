package import VDSQInference

/// The Cholesky factor L of a symmetric positive definite matrix `A = L L^T`, and solutions with
/// it.
///
/// The factorisation takes `size^3 / 6` multiplications. Nearly all of them are those of matrix
/// products, because columns are eliminated in blocks (Golub and Van Loan, *Matrix Computations*,
/// 4.2.9). It is implemented here because the device has no LAPACK.
package struct CholeskyFactor {
  private let size: Int
  /// Lower triangle, row-major. What is above the diagonal is undefined.
  private var factor: [Float]
  /// The inverses of the blocks on the diagonal, `[blocks, blockSize, blockSize]`: lower triangles,
  /// zero above.
  private let inverses: Floats
  private let arithmetic: MatrixArithmetic

  private static let blockSize = 64

  /// Returns nil if the matrix is not positive definite.
  ///
  /// - Parameter matrix: `[size, size]`; only the lower triangle is read.
  package init?(_ matrix: consuming [Float], size: Int, arithmetic: MatrixArithmetic) {
    self.size = size
    self.arithmetic = arithmetic
    factor = matrix
    let b = Self.blockSize
    let inverses = Floats((size + b - 1) / b * b * b)
    self.inverses = inverses
    let isDefinite = factor.withUnsafeMutableBufferPointer {
      Self.factor($0.baseAddress!, inverses.p, size, arithmetic)
    }
    guard isDefinite else { return nil }
  }

  /// The inverse of a block on the diagonal.
  private func inverse(_ block: Range<Int>) -> UnsafePointer<Float> {
    UnsafePointer(inverses.p + block.lowerBound * Self.blockSize)
  }

  /// Factors a matrix in place.
  ///
  /// - Returns: whether it is positive definite.
  private static func factor(
    _ l: UnsafeMutablePointer<Float>, _ inverses: UnsafeMutablePointer<Float>, _ size: Int,
    _ arithmetic: MatrixArithmetic
  ) -> Bool {
    let b = blockSize
    let inverse = PackedMatrix(rows: b, columns: b)
    let scratch = Floats(size * b)
    var isDefinite = true
    arithmetic.together(multiplications: size * size * size / 6) { worker in
      // Every worker packs for itself, which takes less time than to wait for each other.
      let left = PackedMatrix(rows: b, columns: size)
      for start in stride(from: 0, to: size, by: b) {
        let block = start..<min(start + b, size)
        left.reshape(rows: block.count, columns: start)
        left.pack(l + start * size, stride: size, 0..<left.panels)
        /// Subtracts the products of the columns to the left.
        func eliminate(_ rows: Range<Int>) {
          arithmetic.multiply(
            l, xStride: size, rows: rows, left, panels: 0..<left.panels, .subtract, l + start,
            yStride: size)
        }
        if worker.index == 0 {
          eliminate(block)
          isDefinite = factorBlock(l, size, block, inverses + start * b, arithmetic)
          inverse.reshape(rows: block.count, columns: block.count)
          inverse.pack(inverses + start * b, stride: b, 0..<inverse.panels)
        }
        let share = worker.share(of: size - block.upperBound, unit: 8)
        let below = block.upperBound + share.lowerBound..<block.upperBound + share.upperBound
        eliminate(below)
        worker.barrier()
        guard isDefinite else { return }
        arithmetic.multiplyInPlace(
          l + start, stride: size, rows: below, inverse, scratch.p + share.lowerBound * b)
        worker.barrier()
      }
    }
    return isDefinite
  }

  /// Factors a block on the diagonal, and inverts its factor.
  private static func factorBlock(
    _ l: UnsafeMutablePointer<Float>, _ size: Int, _ block: Range<Int>,
    _ inverse: UnsafeMutablePointer<Float>, _ arithmetic: MatrixArithmetic
  ) -> Bool {
    let kernels = arithmetic.kernels, b = blockSize, first = block.lowerBound
    for i in block {
      let row = l + i * size
      for j in first...i {
        var dot: Float = 0
        kernels.dotRows(row + first, l + j * size + first, 1, j - first, &dot)
        let rest = row[j] - dot
        if j < i {
          row[j] = rest / l[j * size + j]
        } else {
          guard rest > 0, rest.isFinite else { return false }
          row[i] = rest.squareRoot()
        }
      }
      let own = inverse + (i - first) * b
      for j in first..<i {
        kernels.addScaled(-row[j] / row[i], inverse + (j - first) * b, j - first + 1, own)
      }
      own[i - first] = 1 / row[i]
    }
    return true
  }

  /// Replaces `x` by the solution of the system with it on the right side.
  ///
  /// - Parameter x: `[count, size]`: a right side a row.
  package func solve(_ x: UnsafeMutablePointer<Float>, count: Int = 1) {
    solveLower(x, count: count)
    solveUpper(x, count: count)
  }

  /// Replaces each row of `x` by `L^-1 x`, of the factor `L`.
  ///
  /// - Parameter x: `[count, size]`.
  package func solveLower(_ x: UnsafeMutablePointer<Float>, count: Int = 1) {
    let starts = Array(stride(from: 0, to: size, by: Self.blockSize))
    eliminate(x, count, starts) { block, l, inverse, known in
      known.reshape(rows: block.count, columns: block.lowerBound)
      known.pack(l + block.lowerBound * size, stride: size, 0..<known.panels)
      inverse.pack(
        self.inverse(block), stride: Self.blockSize, 0..<inverse.panels)
      return 0
    }
  }

  /// Replaces each row of `x` by `L^-T x`.
  ///
  /// - Parameter x: `[count, size]`.
  package func solveUpper(_ x: UnsafeMutablePointer<Float>, count: Int = 1) {
    let starts = Array(stride(from: 0, to: size, by: Self.blockSize).reversed())
    eliminate(x, count, starts) { block, l, inverse, known in
      known.reshape(rows: block.count, columns: size - block.upperBound)
      known.pack(
        transposed: l + block.upperBound * size + block.lowerBound, stride: size,
        0..<known.panels)
      inverse.pack(
        transposed: self.inverse(block), stride: Self.blockSize, 0..<inverse.panels)
      return block.upperBound
    }
  }

  /// Solves block after block of unknowns. Every worker does so for its own right sides.
  ///
  /// - Parameters:
  ///   - starts: the first unknown of each block, in the order of elimination.
  ///   - pack: packs the inverse of a block on the diagonal, and the coefficients of known unknowns
  ///     in its equations. Returns the first of these unknowns.
  private func eliminate(
    _ x: UnsafeMutablePointer<Float>, _ count: Int, _ starts: [Int],
    _ pack: (
      _ block: Range<Int>, _ l: UnsafePointer<Float>, _ inverse: PackedMatrix,
      _ known: PackedMatrix
    ) -> Int
  ) {
    let b = Self.blockSize
    let scratch = Floats(count * b)
    factor.withUnsafeBufferPointer { l in
      arithmetic.together(multiplications: count * size * size / 2) { worker in
        let rows = worker.share(of: count, unit: 8)
        guard !rows.isEmpty else { return }
        let known = PackedMatrix(rows: b, columns: size)
        let inverse = PackedMatrix(rows: b, columns: b)
        for start in starts {
          let block = start..<min(start + b, size)
          inverse.reshape(rows: block.count, columns: block.count)
          let first = pack(block, l.baseAddress!, inverse, known)
          arithmetic.multiply(
            x + first, xStride: size, rows: rows, known, panels: 0..<known.panels, .subtract,
            x + start, yStride: size)
          arithmetic.multiplyInPlace(
            x + start, stride: size, rows: rows, inverse, scratch.p + rows.lowerBound * b)
        }
      }
    }
  }
}

extension MatrixArithmetic {
  /// Replaces some rows of `x` by their products with a square matrix.
  ///
  /// - Parameter scratch: a float for each element of these rows.
  fileprivate func multiplyInPlace(
    _ x: UnsafeMutablePointer<Float>, stride: Int, rows: Range<Int>, _ w: PackedMatrix,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let first = x + rows.lowerBound * stride
    multiply(
      first, xStride: stride, rows: 0..<rows.count, w, panels: 0..<w.panels, .replace, scratch,
      yStride: w.rows)
    for row in 0..<rows.count {
      (first + row * stride).update(from: scratch + row * w.rows, count: w.rows)
    }
  }
}
