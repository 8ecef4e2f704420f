import CShims

/// A quantization step that maps numbers up to a magnitude to integers up to a limit.
@frozen @usableFromInline
struct Int16Step {
  /// Not finite if the magnitude is not finite, so that the results are not finite either.
  @usableFromInline let size: Float
  @usableFromInline let inverse: Float

  @_alwaysEmitIntoClient @inline(__always)
  init(_ magnitude: Float, limit: Float) {
    // Written so that NaN is preserved.
    let magnitude = magnitude < 1e-30 ? 1e-30 : magnitude
    size = magnitude / limit
    inverse = limit / magnitude
  }

  /// The integers are in the low sixteen bits of each lane; the other bits are undefined.
  @_alwaysEmitIntoClient @inline(__always)
  func rounded(_ x: SIMD16<Float>) -> SIMD16<Int32> {
    unsafeBitCast(x * splat(inverse) + roundingMagic, to: SIMD16<Int32>.self)
  }
}
