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

  /// Rounds to the nearest half-precision number, ties to even (after F. Giesen's
  /// `float_to_half_fast3_rtne`).
  @_alwaysEmitIntoClient @inline(__always)
  static func narrow(_ x: SIMD16<Float>) -> SIMD16<UInt16> {
    let bits = unsafeBitCast(x, to: SIMD16<UInt32>.self)
    let sign = bits & 0x8000_0000
    let size = bits ^ sign
    // The new exponent, with the rounding of the bits that are cut off.
    let odd = (size &>> 13) & 1
    let normal = (size &+ (UInt32(bitPattern: (15 - 127) << 23) &+ 0xFFF) &+ odd) &>> 13
    // Adding this number shifts the bits of a subnormal result to its end.
    let magic = SIMD16<UInt32>(repeating: ((127 - 15) + (23 - 10) + 1) << 23)
    let shifted =
      unsafeBitCast(size, to: SIMD16<Float>.self) + unsafeBitCast(magic, to: SIMD16<Float>.self)
    let subnormal = unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &- magic
    var result = normal.replacing(with: subnormal, where: size .< SIMD16(repeating: 113 << 23))
    result = result.replacing(with: 0x7C00, where: size .>= SIMD16(repeating: (127 + 16) << 23))
    result = result.replacing(with: 0x7E00, where: size .> SIMD16(repeating: 255 << 23))
    return SIMD16<UInt16>(truncatingIfNeeded: result | (sign &>> 16))
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func quantizeHalf(
    _ x: UnsafePointer<Float>, _ count: Int, _ y: UnsafeMutableRawPointer
  ) {
    forEachVector(count) { i, left in
      let bits = narrow(load16(x + i, count: left))
      if left >= 16 {
        (y + i * 2).storeBytes(of: bits, as: SIMD16<UInt16>.self)
      } else {
        for j in 0..<left { (y + (i + j) * 2).storeBytes(of: bits[j], as: UInt16.self) }
      }
    }
  }

  /// - Returns: the scale, 0 for zeros; NaN for numbers that are not finite.
  @_alwaysEmitIntoClient @inline(__always)
  static func quantizeInt8(
    _ x: UnsafePointer<Float>, _ count: Int, _ y: UnsafeMutablePointer<Int8>
  ) -> Float {
    let largest = magnitude(x, count, 1, count)
    let scale = largest.isFinite ? largest / 127 : .nan
    let inverse = splat(scale > 0 ? 1 / scale : 0)
    forEachVector(count) { i, left in
      let rounded = load16(x + i, count: left) * inverse + roundingMagic
      let q = unsafeBitCast(rounded, to: SIMD16<Int32>.self) &- SIMD16(repeating: roundingMagicBits)
      for j in 0..<min(16, left) { y[i + j] = Int8(truncatingIfNeeded: q[j]) }
    }
    return scale
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
