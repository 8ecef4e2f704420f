import CShims

// Loads, stores and sums of sixteen lanes that every kernel shares.

@_alwaysEmitIntoClient @inline(__always)
func load16(_ p: UnsafePointer<Float>) -> SIMD16<Float> {
  UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Float>.self)
}

/// The first `count` of sixteen lanes; the others are `fill`.
@_alwaysEmitIntoClient @inline(__always)
func load16(_ p: UnsafePointer<Float>, count: Int, fill: Float = 0) -> SIMD16<Float> {
  if count >= 16 { return load16(p) }
  var v = SIMD16<Float>(repeating: fill)
  for i in 0..<count { v[i] = p[i] }
  return v
}

@_alwaysEmitIntoClient @inline(__always)
func store16(_ v: SIMD16<Float>, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD16<Float>.self)
}

@_alwaysEmitIntoClient @inline(__always)
func store16(_ v: SIMD16<Float>, _ p: UnsafeMutablePointer<Float>, count: Int) {
  if count >= 16 { return store16(v, p) }
  for i in 0..<count { p[i] = v[i] }
}

@_alwaysEmitIntoClient @inline(__always)
func sum16(_ v: SIMD16<Float>) -> Float {
  let a = v.lowHalf + v.highHalf
  let b = a.lowHalf + a.highHalf
  let c = b.lowHalf + b.highHalf
  return c[0] + c[1]
}

@_alwaysEmitIntoClient @inline(__always)
func max16(_ v: SIMD16<Float>) -> Float {
  var m = v[0]
  for i in 1..<16 { m = v[i] > m ? v[i] : m }
  return m
}

@_alwaysEmitIntoClient @inline(__always)
func min16(_ v: SIMD16<Float>) -> Float {
  var m = v[0]
  for i in 1..<16 { m = v[i] < m ? v[i] : m }
  return m
}

/// Adding it to a float of magnitude below 2^22 rounds that to the nearest integer, ties to even,
/// and leaves the integer in the low bits.
@_alwaysEmitIntoClient @inline(__always)
var roundingMagic: SIMD16<Float> { SIMD16(repeating: 12_582_912) }

@_alwaysEmitIntoClient @inline(__always)
var roundingMagicBits: SIMD16<Int32> { SIMD16(repeating: 0x4B40_0000) }

/// The nearest integers, ties to even; lanes must be below 2^22 in magnitude.
@_alwaysEmitIntoClient @inline(__always)
func roundToInt16(_ v: SIMD16<Float>) -> SIMD16<Int32> {
  unsafeBitCast(v + roundingMagic, to: SIMD16<Int32>.self) &- roundingMagicBits
}
