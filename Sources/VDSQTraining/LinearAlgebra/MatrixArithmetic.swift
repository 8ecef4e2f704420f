package import VDSQInference
package import VDSQKernels

/// Products of float matrices by the kernels of a CPU, shared by threads.
///
/// Matrices are row-major. The order in which an element of a product is summed depends only on the
/// sizes of the matrices, so results are bit-identical on any number of threads.
package struct MatrixArithmetic {
  /// What becomes of the elements of a product.
  package enum Use {
    case replace, add, subtract
  }

  package let kernels: KernelTable
  private let threads: ThreadPool

  /// Rows of the left side, and panels of the right side, that a tile of a product has.
  private static let tileRows = 64
  private static let tilePanels = 8
  /// Work of fewer multiplications is done by the calling thread: waking others takes longer.
  private static let leastShared = 2_000_000

  /// - Parameter threads: the threads that share products; only one caller may use them at a time.
  package init(kernels: KernelTable, threads: ThreadPool = ThreadPool(count: 1)) {
    self.kernels = kernels
    self.threads = threads
  }

  /// The maximum number of threads.
  package var width: Int { threads.count }

  /// Runs `body` on every thread, or on the calling one alone if there is little to do.
  ///
  /// - Parameter multiplications: the number of multiplications of all threads.
  package func together(multiplications: Int, _ body: (ThreadPool.Worker) -> Void) {
    withoutActuallyEscaping(body) {
      threads.together(
        multiplications < Self.leastShared ? 1 : threads.count, ParallelBody($0))
    }
  }

  /// `y = x w^T`, or `y += x w^T`, or `y -= x w^T`, for some rows of `x` and panels of `w`.
  ///
  /// - Parameters:
  ///   - x: `[rows, w.columns]`, `xStride` floats from one row to the next.
  ///   - y: `[rows, w.rows]`, `yStride` floats from one row to the next.
  package func multiply(
    _ x: UnsafePointer<Float>, xStride: Int, rows: Range<Int>, _ w: PackedMatrix,
    panels: Range<Int>, _ use: Use, _ y: UnsafeMutablePointer<Float>, yStride: Int
  ) {
    let width = 16 * Self.tilePanels
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.tileRows * width) { tile in
      let tile = tile.baseAddress!
      for first in stride(from: 0, to: w.columns, by: PackedMatrix.blockLength) {
        let weights = w.weights(from: first)
        for row in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.tileRows) {
          let count = min(Self.tileRows, rows.upperBound - row)
          let from = x + row * xStride + first
          for panel in stride(from: panels.lowerBound, to: panels.upperBound, by: Self.tilePanels) {
            let own = panel..<min(panel + Self.tilePanels, panels.upperBound)
            if use == .replace, first == 0 {
              kernels.gemmFloat(
                from, xStride, count, weights, own,
                LinearOutput(y: y + row * yStride, stride: yStride))
              continue
            }
            // Kernels write panel by panel where a whole row would have them.
            kernels.gemmFloat(
              from, xStride, count, weights, own,
              LinearOutput(y: tile - panel * 16, stride: width))
            let columns = min(own.upperBound * 16, w.rows) - panel * 16
            for i in 0..<count {
              kernels.addScaled(
                use == .subtract ? -1 : 1, tile + i * width, columns,
                y + (row + i) * yStride + panel * 16)
            }
          }
        }
      }
    }
  }

  /// `y = x w^T`, `[rows, w.rows]`, shared by all threads.
  package func multiply(
    _ x: UnsafePointer<Float>, rows: Int, _ w: PackedMatrix, _ y: UnsafeMutablePointer<Float>
  ) {
    together(multiplications: rows * w.rows * w.columns) { worker in
      multiply(
        x, xStride: w.columns, rows: worker.share(of: rows, unit: 8), w, panels: 0..<w.panels,
        .replace, y, yStride: w.rows)
    }
  }

  /// The lower triangle of `y = x w^T`, for as many rows of `x` as `w` has; what is above the
  /// diagonal is undefined.
  package func multiplyLower(
    _ x: UnsafePointer<Float>, _ w: PackedMatrix, _ y: UnsafeMutablePointer<Float>
  ) {
    together(multiplications: w.rows * w.rows * w.columns / 2) { worker in
      multiplyLower(worker, x, w, .replace, y)
    }
  }

  /// One worker's part of that.
  private func multiplyLower(
    _ worker: ThreadPool.Worker, _ x: UnsafePointer<Float>, _ w: PackedMatrix, _ use: Use,
    _ y: UnsafeMutablePointer<Float>
  ) {
    // Rows further down have more columns, so workers take turns.
    let step = worker.count * Self.tileRows
    for row in stride(from: worker.index * Self.tileRows, to: w.rows, by: step) {
      let end = min(row + Self.tileRows, w.rows)
      multiply(
        x, xStride: w.columns, rows: row..<end, w, panels: 0..<(end + 15) / 16, use, y,
        yStride: w.rows)
    }
  }

  /// A matrix that is packed by all threads.
  ///
  /// - Parameter w: `[rows, columns]`.
  package func packed(_ w: UnsafePointer<Float>, rows: Int, columns: Int) -> PackedMatrix {
    let packed = PackedMatrix(rows: rows, columns: columns)
    together(multiplications: 4 * rows * columns) { worker in
      packed.pack(w, stride: columns, worker.share(of: packed.panels))
    }
    return packed
  }

  /// `sums += factor x^T x`, the lower triangle; what is above the diagonal is undefined.
  ///
  /// - Parameters:
  ///   - x: `[rows, columns]`.
  ///   - sums: `[columns, columns]`.
  ///   - use: `add` or `subtract`.
  package func addProducts(
    of x: UnsafePointer<Float>, rows: Int, columns: Int, _ use: Use = .add,
    to sums: UnsafeMutablePointer<Float>
  ) {
    for first in stride(from: 0, to: rows, by: PackedMatrix.blockLength) {
      let count = min(PackedMatrix.blockLength, rows - first)
      let x = x + first * columns
      let transposed = Floats(columns * count)
      let packed = PackedMatrix(rows: columns, columns: count)
      together(multiplications: count * columns * columns / 2) { worker in
        let own = worker.share(of: packed.panels)
        packed.pack(transposed: x, stride: columns, own)
        Self.transpose(
          x, rows: count, columns: columns,
          own.lowerBound * 16..<min(own.upperBound * 16, columns), into: transposed.p)
        worker.barrier()
        multiplyLower(worker, transposed.p, packed, use, sums)
      }
    }
  }

  /// Some columns of `x` become rows.
  ///
  /// - Parameters:
  ///   - x: `[rows, columns]`.
  ///   - own: the columns.
  ///   - to: `[columns, rows]`.
  package static func transpose(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, _ own: Range<Int>,
    into to: UnsafeMutablePointer<Float>
  ) {
    // In squares, whose rows on both sides stay in the cache.
    for row in stride(from: 0, to: rows, by: 16) {
      for column in stride(from: own.lowerBound, to: own.upperBound, by: 16) {
        for j in column..<min(column + 16, own.upperBound) {
          for i in row..<min(row + 16, rows) { to[j * rows + i] = x[i * columns + j] }
        }
      }
    }
  }
}
