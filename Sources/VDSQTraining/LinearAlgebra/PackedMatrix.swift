package import VDSQKernels

/// The right side of a product `x w^T`, arranged as the kernels read it: blocks of columns, each of
/// them panels of sixteen rows, `[columns / blockLength][rows / 16][blockLength][16]`.
///
/// A block of two panels fits the first-level cache, so the rows of `x` pass by it there.
package final class PackedMatrix {
  /// The number of columns in a block.
  package static let blockLength = 256

  /// The number of rows of `w`: columns of the product.
  package private(set) var rows: Int
  /// The number of columns of `w`: those of `x`.
  package private(set) var columns: Int
  private let elements: Floats

  /// Allocates the panels; `pack` fills them.
  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    elements = Floats((rows + 15) / 16 * 16 * columns)
  }

  package var panels: Int { (rows + 15) / 16 }

  /// Makes room for another matrix in the same memory. Its panels are undefined.
  ///
  /// - Precondition: it has no more panels and columns than the memory was allocated for.
  package func reshape(rows: Int, columns: Int) {
    precondition((rows + 15) / 16 * 16 * columns <= elements.count)
    self.rows = rows
    self.columns = columns
  }

  /// The first elements of the block of columns that starts at `column`.
  private func block(_ column: Int) -> UnsafeMutablePointer<Float> {
    elements.p + panels * 16 * column
  }

  /// The block of columns that starts at `column`, as the weights of a linear layer.
  package func weights(from column: Int) -> WeightPanels {
    WeightPanels(
      element: .float32, weights: block(column), scales: nil, rowSums: nil, bias: nil,
      outputs: rows, inputs: min(Self.blockLength, columns - column))
  }

  /// Fills some panels from the matrix.
  ///
  /// - Parameters:
  ///   - w: `[rows, columns]`, `stride` floats from one row to the next.
  ///   - panels: the panels to fill.
  package func pack(_ w: UnsafePointer<Float>, stride: Int, _ panels: Range<Int>) {
    forEachBlock(panels) { first, length, panel, to in
      for i in 0..<min(16, rows - panel * 16) {
        let row = w + (panel * 16 + i) * stride + first
        for j in 0..<length { to[j * 16 + i] = row[j] }
      }
    }
  }

  /// Fills some panels from the transposed matrix.
  ///
  /// - Parameters:
  ///   - transposed: `[columns, rows]`, `stride` floats from one row to the next.
  ///   - panels: the panels to fill.
  package func pack(
    transposed: UnsafePointer<Float>, stride: Int, _ panels: Range<Int>
  ) {
    forEachBlock(panels) { first, length, panel, to in
      let count = min(16, rows - panel * 16)
      for j in 0..<length {
        (to + j * 16).update(from: transposed + (first + j) * stride + panel * 16, count: count)
      }
    }
  }

  private func forEachBlock(
    _ panels: Range<Int>,
    _ body: (_ first: Int, _ length: Int, _ panel: Int, _ to: UnsafeMutablePointer<Float>) -> Void
  ) {
    for first in stride(from: 0, to: columns, by: Self.blockLength) {
      let length = min(Self.blockLength, columns - first)
      for panel in panels { body(first, length, panel, block(first) + panel * length * 16) }
    }
  }
}
