import VDSQFormat

/// The rows of an LM head, which are read one tile after another into the same memory.
struct HeadTiles {
  let head: HeadMatrix
  /// The number of rows of a tile; the last one may have fewer.
  let rows: Int
  /// `[rows, columns]`: the tile that was read last.
  let tile: BasesSolver.Matrix

  init(_ head: HeadMatrix, rows: Int) {
    self.head = head
    self.rows = min(rows, head.rows)
    tile = BasesSolver.Matrix(self.rows * head.columns)
  }

  /// Calls `body` with the tiles in order.
  ///
  /// - Parameters:
  ///   - progress: called with the number of rows of each tile, after it.
  ///   - body: called with a tile's first row, its number of rows, and its values, which it may
  ///     change.
  /// - Throws: `badInput` if rows cannot be read or are not finite; what `body` throws.
  func forEach(
    _ progress: (Int) -> Void,
    _ body: (
      _ first: Int, _ rows: Int, _ values: UnsafeMutablePointer<Double>
    ) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    for first in stride(from: 0, to: head.rows, by: rows) {
      let count = min(rows, head.rows - first)
      try head.read(first..<first + count, tile.start)
      try body(first, count, tile.start)
      progress(count)
    }
  }
}
