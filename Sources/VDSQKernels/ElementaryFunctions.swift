import CShims

// Vector exp, erf and tanh, accurate to a few units in the last place of a float.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func splat(_ x: Float) -> SIMD16<Float> { SIMD16(repeating: x) }

  /// e^x by range reduction to [-ln2/2, ln2/2] and a degree-6 polynomial (Cephes `expf`).
  /// Below -87.3 it is 0 to within a denormal, above 88.3 it saturates.
  @_alwaysEmitIntoClient @inline(__always)
  static func exp(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let clamped = vdsq_max(vdsq_min(x, splat(88.3)), splat(-87.3))
    let k = ISA.fma(clamped, splat(1.442_695_04), roundingMagic)
    let n = k - roundingMagic
    let exponent = unsafeBitCast(k, to: SIMD16<Int32>.self) &- roundingMagicBits
    var r = ISA.fma(n, splat(-0.693_359_375), clamped)
    r = ISA.fma(n, splat(2.121_944_4e-4), r)
    var p = splat(1.987_569_15e-4)
    p = ISA.fma(p, r, splat(1.398_199_95e-3))
    p = ISA.fma(p, r, splat(8.333_451_9e-3))
    p = ISA.fma(p, r, splat(4.166_579_6e-2))
    p = ISA.fma(p, r, splat(1.666_666_55e-1))
    p = ISA.fma(p, r, splat(5.000_000_1e-1))
    let e = ISA.fma(p, r * r, r) + splat(1)
    let power = vdsq_shift_left(exponent &+ SIMD16(repeating: 127), 23)
    return e * unsafeBitCast(power, to: SIMD16<Float>.self)
  }

  /// erf(x) as an odd rational function on [-4, 4] (the coefficients of Eigen's `erf<float>`).
  @_alwaysEmitIntoClient @inline(__always)
  static func erf(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let c = vdsq_max(vdsq_min(x, splat(4)), splat(-4))
    let z = c * c
    var p = splat(-2.726_142_258_013_06e-10)
    p = ISA.fma(p, z, splat(2.770_681_424_959_02e-08))
    p = ISA.fma(p, z, splat(-2.101_024_020_825_08e-06))
    p = ISA.fma(p, z, splat(-5.692_506_394_623_46e-05))
    p = ISA.fma(p, z, splat(-7.349_906_303_268_55e-04))
    p = ISA.fma(p, z, splat(-2.954_599_808_540_25e-03))
    p = ISA.fma(p, z, splat(-1.609_603_332_624_15e-02))
    var q = splat(-1.456_607_184_649_96e-05)
    q = ISA.fma(q, z, splat(-2.133_740_552_789_05e-04))
    q = ISA.fma(q, z, splat(-1.682_826_974_382_03e-03))
    q = ISA.fma(q, z, splat(-7.373_329_167_204_68e-03))
    q = ISA.fma(q, z, splat(-1.426_473_905_141_89e-02))
    return c * p / q
  }

  /// tanh(x) = 1 - 2 / (e^2x + 1).
  @_alwaysEmitIntoClient @inline(__always)
  static func tanh(_ x: SIMD16<Float>) -> SIMD16<Float> {
    splat(1) - splat(2) / (exp(x + x) + splat(1))
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func apply(_ activation: Activation, _ x: SIMD16<Float>) -> SIMD16<Float> {
    switch activation {
    case .identity:
      return x
    case .relu:
      return vdsq_max(x, splat(0))
    case .gelu:
      let half = x * splat(0.5)
      return ISA.fma(half, erf(x * splat(0.707_106_78)), half)
    case .geluTanh:
      let half = x * splat(0.5)
      let inner = ISA.fma(x * x * x, splat(0.044_715), x) * splat(0.797_884_56)
      return ISA.fma(half, tanh(inner), half)
    }
  }
}
