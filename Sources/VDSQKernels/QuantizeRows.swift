import CShims

extension GenericKernels {
  /// Each row gets the 255 steps from its smallest to its largest value; the zero point is an
  /// integer that need not lie among them, as it only ever meets precomputed row sums.
  @_alwaysEmitIntoClient @inline(__always)
  static func quantizeRows(
    _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ to: QuantizedRows
  ) {
    let whole = columns & ~15
    for row in 0..<rows {
      let source = x + row * stride
      var low = splat(source[0])
      var high = low
      var i = 0
      while i < whole {
        let v = load16(source + i)
        low = vdsq_min(low, v)
        high = vdsq_max(high, v)
        i += 16
      }
      if i < columns {
        let v = load16(source + i, count: columns - i, fill: source[0])
        low = vdsq_min(low, v)
        high = vdsq_max(high, v)
      }
      let parameters = QuantizationRange(low: min16(low), high: max16(high))
      to.scales[row] = parameters.scale
      to.zeroPoints[row] = parameters.zeroPoint

      let inverse = splat(1 / parameters.scale)
      let zero = SIMD16<Int32>(repeating: parameters.zeroPoint)
      let destination = to.values + row * to.stride
      i = 0
      while i < whole {
        let q = roundToInt16(load16(source + i) * inverse) &+ zero
        UnsafeMutableRawPointer(destination + i)
          .storeBytes(of: saturateToU8(q), as: SIMD16<UInt8>.self)
        i += 16
      }
      if i < columns {
        let q = saturateToU8(
          roundToInt16(load16(source + i, count: columns - i) * inverse) &+ zero)
        for j in 0..<(columns - i) { destination[i + j] = q[j] }
      }
      for j in columns..<to.stride { destination[j] = 0 }
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func saturateToU8(_ q: SIMD16<Int32>) -> SIMD16<UInt8> {
    let floor = q.replacing(with: 0, where: q .< 0)
    let clamped = floor.replacing(with: 255, where: floor .> 255)
    return SIMD16<UInt8>(truncatingIfNeeded: clamped)
  }
}

/// The step and the zero point that spread the range from `low` to `high` over 0...255.
public struct QuantizationRange {
  public let scale: Float
  public let zeroPoint: Int32

  @_alwaysEmitIntoClient @inline(__always)
  public init(low: Float, high: Float) {
    // A row of one value, or nearly, still needs a step that its magnitude is not too many of for
    // the rounding trick's 2^22.
    let magnitude = high > -low ? high : -low
    let step = (high - low) / 255
    let smallest = magnitude / 2_000_000
    scale = step > smallest ? step : (smallest > 1e-30 ? smallest : 1e-30)
    let lowest = low * (1 / scale) + 12_582_912
    zeroPoint = -(Int32(bitPattern: lowest.bitPattern) &- 0x4B40_0000)
  }
}
