public import CShims

// Loads, stores and sums of sixteen lanes that every kernel shares.

@_alwaysEmitIntoClient @inline(__always)
func splat(_ x: Float) -> SIMD16<Float> { SIMD16(repeating: x) }

@_alwaysEmitIntoClient @inline(__always)
func load16(_ p: UnsafePointer<Float>) -> SIMD16<Float> {
  UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Float>.self)
}

/// Loads the first `count` of sixteen lanes; the others are `fill`.
@_alwaysEmitIntoClient @inline(__always)
func load16(_ p: UnsafePointer<Float>, count: Int, fill: Float = 0) -> SIMD16<Float> {
  if count >= 16 { return load16(p) }
  var v = SIMD16<Float>()
  vdsq_load_part(p, count, fill, &v)
  return v
}

@_alwaysEmitIntoClient @inline(__always)
func store16(_ v: SIMD16<Float>, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD16<Float>.self)
}

@_alwaysEmitIntoClient @inline(__always)
func store16(_ v: SIMD16<Float>, _ p: UnsafeMutablePointer<Float>, count: Int) {
  if count >= 16 { return store16(v, p) }
  var v = v
  vdsq_store_part(&v, count, p)
}

/// `v` in the first `count` lanes, `fill` in the others.
@_alwaysEmitIntoClient @inline(__always)
func keep16(_ v: SIMD16<Float>, count: Int, fill: Float) -> SIMD16<Float> {
  vdsq_keep(v, Int32(truncatingIfNeeded: min(count, 16)), fill)
}

@_alwaysEmitIntoClient @inline(__always)
func sum16(_ v: SIMD16<Float>) -> Float {
  let a = v.lowHalf + v.highHalf
  let b = a.lowHalf + a.highHalf
  let c = b.lowHalf + b.highHalf
  return c[0] + c[1]
}

// Swift's own comparisons of halves compile to code that works lane by lane.
@_alwaysEmitIntoClient @inline(__always)
func max16(_ v: SIMD16<Float>) -> Float { vdsq_max_lane(v) }

@_alwaysEmitIntoClient @inline(__always)
func min16(_ v: SIMD16<Float>) -> Float { vdsq_min_lane(v) }

/// Adding this constant to a float of magnitude below 2^22 rounds the float to the nearest integer,
/// ties to even, and leaves the integer in the low bits.
@_alwaysEmitIntoClient @inline(__always)
var roundingMagic: SIMD16<Float> { SIMD16(repeating: 12_582_912) }

@_alwaysEmitIntoClient @inline(__always)
var roundingMagicBits: Int32 { 0x4B40_0000 }
