// Products of float vectors, for the few rows of a label set or an adapter.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func dotRows(
    _ x: UnsafePointer<Float>, _ m: UnsafePointer<Float>, _ rows: Int, _ columns: Int,
    _ out: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      let y = m + row * columns
      var even = splat(0), odd = splat(0)
      var i = 0
      while i + 32 <= columns {
        even = ISA.fma(load16(x + i), load16(y + i), even)
        odd = ISA.fma(load16(x + i + 16), load16(y + i + 16), odd)
        i += 32
      }
      while i < columns {
        let left = columns - i
        even = ISA.fma(load16(x + i, count: left), load16(y + i, count: left), even)
        i += 16
      }
      out[row] = sum16(even + odd)
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func addScaled(
    _ a: Float, _ x: UnsafePointer<Float>, _ count: Int, _ y: UnsafeMutablePointer<Float>
  ) {
    var i = 0
    while i < count {
      let left = count - i
      let sum = ISA.fma(splat(a), load16(x + i, count: left), load16(y + i, count: left))
      store16(sum, y + i, count: left)
      i += 16
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func dequantizeHalf(
    _ x: UnsafeRawPointer, _ count: Int, _ y: UnsafeMutablePointer<Float>
  ) {
    let whole = count & ~15
    var i = 0
    while i < whole {
      store16(ISA.loadHalf(x + i * 2), y + i)
      i += 16
    }
    while i < count {
      y[i] = halfToFloat((x + i * 2).loadUnaligned(as: UInt16.self))
      i += 1
    }
  }
}
