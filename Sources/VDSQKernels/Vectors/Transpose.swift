import CShims

extension GenericKernels {
  /// `to[c][r] = from[r][c]` for `rows` by `columns` floats, padded with zeros to multiples of
  /// sixteen. `to` has `toStride` floats per row.
  @_alwaysEmitIntoClient @inline(__always)
  static func transpose(
    _ from: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int,
    _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    var column = 0
    while column < columns {
      let width = columns - column
      var row = 0
      while row < rows {
        let height = rows - row
        let source = from + row * stride + column
        var block = Block16 {
          $0 < height ? load16(source + $0 * stride, count: width) : splat(0)
        }
        block.transpose()
        block.store(to + column * toStride + row, toStride)
        row += 16
      }
      column += 16
    }
  }
}
