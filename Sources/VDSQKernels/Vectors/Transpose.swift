public import CShims

extension GenericKernels {
  /// `to[c][r] = from[r][c]` for `rows` by `columns` floats, padded with zeros to multiples of
  /// sixteen. `to` has `toStride` floats per row.
  @_alwaysEmitIntoClient @inline(__always)
  static func transpose(
    _ from: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int,
    _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    if ISA.tile == .rows8Halves {
      return transposeFours(from, stride, rows, columns, to, toStride)
    }
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

  /// The same in blocks of four rows and columns, which registers of 128 bits hold.
  @_alwaysEmitIntoClient @inline(__always)
  static func transposeFours(
    _ from: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int,
    _ to: UnsafeMutablePointer<Float>, _ toStride: Int
  ) {
    var column = 0
    while column < (columns + 15) & ~15 {
      var row = 0
      while row < (rows + 15) & ~15 {
        func load(_ i: Int) -> SIMD4<Float> {
          let p = from + (row + i) * stride + column
          if row + i < rows, column + 4 <= columns {
            return UnsafeRawPointer(p).loadUnaligned(as: SIMD4<Float>.self)
          }
          var v = SIMD4<Float>(repeating: 0)
          if row + i < rows { for j in 0..<max(0, columns - column) { v[j] = p[j] } }
          return v
        }
        var a = load(0), b = load(1), c = load(2), d = load(3)
        vdsq_transpose4(&a, &b, &c, &d)
        func store(_ v: SIMD4<Float>, _ i: Int) {
          UnsafeMutableRawPointer(to + (column + i) * toStride + row)
            .storeBytes(of: v, as: SIMD4<Float>.self)
        }
        store(a, 0)
        store(b, 1)
        store(c, 2)
        store(d, 3)
        row += 4
      }
      column += 4
    }
  }
}
