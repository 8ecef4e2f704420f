public import CShims

// 2^x, e^x and activation functions for vectors. Clamps preserve NaN: `vdsq_max` and `vdsq_min`
// return their second argument if one argument is NaN.

extension GenericKernels {
  /// 2^x by range reduction to [-1/2, 1/2] and a polynomial of degree 5. The relative error is
  /// below 3e-7. The result is 2^-126 below -126 and 2^126 above 126.
  @_alwaysEmitIntoClient @inline(__always)
  static func exp2(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let clamped = vdsq_max(splat(-126), vdsq_min(splat(126), x))
    let k = clamped + roundingMagic
    let f = clamped - (k - roundingMagic)
    var p = splat(1.320_298_18e-3)
    p = ISA.fma(p, f, splat(9.674_952_37e-3))
    p = ISA.fma(p, f, splat(5.551_047_25e-2))
    p = ISA.fma(p, f, splat(2.402_216_64e-1))
    p = ISA.fma(p, f, splat(6.931_465_86e-1))
    p = ISA.fma(p, f, splat(1))
    // The integer is in the low bits of k; the high bits are shifted out.
    let exponent = vdsq_shift_left(unsafeBitCast(k, to: SIMD16<Int32>.self), 23)
    let scaled = unsafeBitCast(p, to: SIMD16<Int32>.self) &+ exponent
    return unsafeBitCast(scaled, to: SIMD16<Float>.self)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func exp(_ x: SIMD16<Float>) -> SIMD16<Float> { exp2(x * splat(1.442_695_04)) }

  /// `x Phi(x)`. Phi - 1/2 is an odd polynomial on [-4.2, 4.2] and 1/2 beyond. The absolute error
  /// is below 1e-4, a hundredth of an int8 step.
  @_alwaysEmitIntoClient @inline(__always)
  static func gelu(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let c = vdsq_max(splat(-4.2), vdsq_min(splat(4.2), x))
    let z = c * c
    var p = splat(-9.017_531e-10)
    p = ISA.fma(p, z, splat(7.941_34e-8))
    p = ISA.fma(p, z, splat(-3.037_931_7e-6))
    p = ISA.fma(p, z, splat(6.689_07e-5))
    p = ISA.fma(p, z, splat(-9.506_577e-4))
    p = ISA.fma(p, z, splat(9.298_231e-3))
    p = ISA.fma(p, z, splat(-6.552_821e-2))
    p = ISA.fma(p, z, splat(3.984_658_7e-1))
    return ISA.fma(c * p, x, x * splat(0.5))
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func sigmoid(_ x: SIMD16<Float>) -> SIMD16<Float> {
    splat(1) / (splat(1) + exp(splat(0) - x))
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func apply(_ activation: Activation, _ x: SIMD16<Float>) -> SIMD16<Float> {
    switch activation {
    case .identity: return x
    case .relu: return vdsq_max(splat(0), x)
    case .gelu: return gelu(x)
    case .geluTanh:
      // x/2 (1 + tanh u) = x sigmoid(2u)
      let u = ISA.fma(x * x * x, splat(0.044_715), x) * splat(1.595_769_12)
      return x * sigmoid(u)
    case .silu: return x * sigmoid(x)
    }
  }
}
