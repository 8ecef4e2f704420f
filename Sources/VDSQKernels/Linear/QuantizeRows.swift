public import CShims

extension GenericKernels {
  /// Each row has 255 steps from its minimum to its maximum. The zero point is an integer that may
  /// lie outside 0...255, because it is only multiplied by precomputed row sums.
  @_alwaysEmitIntoClient @inline(__always)
  static func quantizeRows(
    _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ ranges: RowRanges?,
    _ to: QuantizedRows
  ) {
    for row in 0..<rows {
      let source = x + row * stride
      let parameters: QuantizationRange
      if let ranges {
        let lanes = ranges.lanes + row * 32
        parameters = QuantizationRange(low: min16(load16(lanes)), high: max16(load16(lanes + 16)))
      } else {
        parameters = range(of: source, columns)
      }
      to.scales[row] = parameters.scale
      to.zeroPoints[row] = parameters.zeroPoint
      quantize(
        source, columns, parameters,
        to.values + ISA.activationLayout.offset(ofRow: row, stride: to.stride))
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func range(of x: UnsafePointer<Float>, _ columns: Int) -> QuantizationRange {
    let first = splat(x[0])
    let low = fold(columns, from: first, { vdsq_min($0, $1) }) { least, i, count in
      vdsq_min(least, load16(x + i, count: count, fill: x[0]))
    }
    let high = fold(columns, from: first, { vdsq_max($0, $1) }) { most, i, count in
      vdsq_max(most, load16(x + i, count: count, fill: x[0]))
    }
    return QuantizationRange(low: min16(low), high: max16(high))
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func quantize(
    _ x: UnsafePointer<Float>, _ columns: Int, _ range: QuantizationRange,
    _ to: UnsafeMutableRawPointer
  ) {
    let inverse = splat(1 / range.scale)
    let zero = SIMD16<Int32>(repeating: range.zeroPoint &- roundingMagicBits)
    let whole = columns & ~15
    var i = 0
    while i < whole {
      let rounded = load16(x + i) * inverse + roundingMagic
      store(
        vdsq_saturate_u8(unsafeBitCast(rounded, to: SIMD16<Int32>.self) &+ zero),
        to + ISA.activationLayout.offset(ofQuad: i / 4))
      i += 16
    }
    guard i < columns else { return }
    let rounded = load16(x + i, count: columns - i) * inverse + roundingMagic
    let q = vdsq_saturate_u8(unsafeBitCast(rounded, to: SIMD16<Int32>.self) &+ zero)
    // The padding of the last vector is zero, like the weights that it is multiplied by.
    var kept = SIMD16<UInt8>(repeating: 0)
    for j in 0..<(columns - i) { kept[j] = q[j] }
    store(kept, to + ISA.activationLayout.offset(ofQuad: i / 4))
  }

  /// Stores sixteen activations in the layout of the instruction set.
  @_alwaysEmitIntoClient @inline(__always)
  static func store(_ q: SIMD16<UInt8>, _ to: UnsafeMutableRawPointer) {
    switch ISA.activationLayout {
    case .bytes: to.storeBytes(of: q, as: SIMD16<UInt8>.self)
    case .signedBytes: to.storeBytes(of: q ^ SIMD16(repeating: 128), as: SIMD16<UInt8>.self)
    case .signedBytePairs:
      let signed = q ^ SIMD16(repeating: 128)
      to.storeBytes(of: signed.lowHalf, as: SIMD8<UInt8>.self)
      (to + 16).storeBytes(of: signed.highHalf, as: SIMD8<UInt8>.self)
    case .evenOddWords:
      let quads = unsafeBitCast(q, to: SIMD4<UInt32>.self)
      var words = SIMD8<UInt32>()
      words.evenHalf = quads & 0x00FF_00FF
      words.oddHalf = (quads &>> 8) & 0x00FF_00FF
      to.storeBytes(of: words, as: SIMD8<UInt32>.self)
    }
  }
}
