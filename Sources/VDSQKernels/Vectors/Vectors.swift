public import CShims

// Products of float and half-precision vectors, and of matrices with one.

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
  static func dotHalfRows(
    _ x: UnsafePointer<Float>, _ m: UnsafeRawPointer, _ rows: Int, _ columns: Int,
    _ out: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      let y = m + row * columns * 2
      var even = splat(0), odd = splat(0)
      var i = 0
      while i + 32 <= columns {
        even = ISA.fma(load16(x + i), ISA.loadHalf(y + i * 2), even)
        odd = ISA.fma(load16(x + i + 16), ISA.loadHalf(y + i * 2 + 32), odd)
        i += 32
      }
      if i + 16 <= columns {
        even = ISA.fma(load16(x + i), ISA.loadHalf(y + i * 2), even)
        i += 16
      }
      var rest: Float = 0
      while i < columns {
        rest += x[i] * halfToFloat((y + i * 2).loadUnaligned(as: UInt16.self))
        i += 1
      }
      out[row] = sum16(even + odd) + rest
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func addScaled(
    _ a: Float, _ x: UnsafePointer<Float>, _ count: Int, _ y: UnsafeMutablePointer<Float>
  ) {
    forEachVector(count) { i, left in
      let sum = ISA.fma(splat(a), load16(x + i, count: left), load16(y + i, count: left))
      store16(sum, y + i, count: left)
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
  @_alwaysEmitIntoClient @inline(__always)
  static func dequantizeInt8(
    _ x: UnsafePointer<Int8>, _ count: Int, _ scale: Float, _ y: UnsafeMutablePointer<Float>
  ) {
    let whole = count & ~15
    var i = 0
    while i < whole {
      let bytes = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD16<Int8>.self)
      store16(vdsq_to_float(vdsq_widen_i8(bytes)) * splat(scale), y + i)
      i += 16
    }
    while i < count {
      y[i] = Float(x[i]) * scale
      i += 1
    }
  }
}
