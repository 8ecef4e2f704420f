import Glibc
import VDSQKernels

extension Activation {
  /// Replaces gradients with respect to an activation's outputs by gradients with respect to its
  /// inputs.
  package func multiplyBySlopes(
    _ gradients: UnsafeMutablePointer<Float>, _ inputs: UnsafePointer<Float>, _ count: Int
  ) {
    var i = 0
    if self == .gelu {
      while i + 16 <= count {
        let g = UnsafeMutableRawPointer(gradients + i)
        let x = UnsafeRawPointer(inputs + i).loadUnaligned(as: SIMD16<Float>.self)
        g.storeBytes(
          of: g.loadUnaligned(as: SIMD16<Float>.self) * Self.geluSlopes(x),
          as: SIMD16<Float>.self)
        i += 16
      }
    }
    while i < count {
      gradients[i] *= slope(inputs[i])
      i += 1
    }
  }

  /// The derivative of the kernels' polynomial for `x Phi(x)`, within 2e-3 of that of the function.
  private static func geluSlopes(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let c = x.clamped(
      lowerBound: SIMD16(repeating: -4.2), upperBound: SIMD16(repeating: 4.2))
    let z = c * c
    var p = SIMD16<Float>(repeating: -9.017_531e-10 * 8)
    p = p * z + 7.941_34e-8 * 7
    p = p * z - 3.037_931_7e-6 * 6
    p = p * z + 6.689_07e-5 * 5
    p = p * z - 9.506_577e-4 * 4
    p = p * z + 9.298_231e-3 * 3
    p = p * z - 6.552_821e-2 * 2
    p = p * z + 3.984_658_7e-1
    return 2 * c * p + 0.5
  }

  /// The derivative.
  package func slope(_ x: Float) -> Float {
    switch self {
    case .identity: return 1
    case .relu: return x > 0 ? 1 : 0
    case .gelu:
      return 0.5 * (1 + erff(x * 0.707_106_78)) + x * 0.398_942_28 * expf(-0.5 * x * x)
    case .geluTanh:
      let u = 0.797_884_56 * (x + 0.044_715 * x * x * x)
      let t = tanhf(u)
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.797_884_56 * (1 + 0.134_145 * x * x)
    case .silu:
      let s = 1 / (1 + expf(-x))
      return s * (1 + x * (1 - s))
    }
  }
}
