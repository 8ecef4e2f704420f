import CShims

/// The step and the zero point that spread the range from `low` to `high` over 0...255.
public struct QuantizationRange {
  /// The step between two u8 values, at least 1e-30.
  public let scale: Float
  /// The integer that stands for 0; it may be outside 0...255.
  public let zeroPoint: Int32

  /// Computes step and zero point of a row from its minimum and maximum, both finite.
  @_alwaysEmitIntoClient @inline(__always)
  public init(low: Float, high: Float) {
    // A row of nearly equal values still needs a step for which its magnitude stays below the 2^22
    // steps of the rounding trick.
    let magnitude = high > -low ? high : -low
    let step = (high - low) / 255
    let smallest = magnitude / 2_000_000
    scale = step > smallest ? step : (smallest > 1e-30 ? smallest : 1e-30)
    let lowest = low * (1 / scale) + 12_582_912
    zeroPoint = -(Int32(bitPattern: lowest.bitPattern) &- 0x4B40_0000)
  }
}
