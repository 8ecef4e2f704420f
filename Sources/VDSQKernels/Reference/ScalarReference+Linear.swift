extension ScalarReference {
  /// Quantizes each row to u8 by its minimum and maximum; rounds to the nearest, ties to even.
  public static func quantizeRows(
    _ x: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, _ to: QuantizedRows
  ) {
    for row in 0..<rows {
      let source = UnsafeBufferPointer(start: x + row * stride, count: columns)
      let range = QuantizationRange(low: source.min()!, high: source.max()!)
      to.scales[row] = range.scale
      to.zeroPoints[row] = range.zeroPoint
      for i in 0..<columns {
        let q = (source[i] * (1 / range.scale)).rounded(.toNearestOrEven)
        to.set(row, i, UInt8(clamping: Int32(q) + range.zeroPoint))
      }
      // Padding of the last sixteen.
      for i in columns..<(columns + 15) / 16 * 16 { to.set(row, i, 0) }
    }
  }

  /// The factor of a group; 1 if there are no groups.
  static func factor(_ w: WeightPanels, _ n: Int, _ k: Int) -> Double {
    guard let groups = w.groups else { return 1 }
    let at = (n / 16 * groups.count(w.inputs) + k / groups.length) * 32 + n % 16 * 2
    return Double(halfToFloat((groups.factors + at).loadUnaligned(as: UInt16.self)))
  }

  /// The weight of output `n` and input `k`, before scale and group factor.
  public static func weight(_ w: WeightPanels, _ n: Int, _ k: Int) -> Float {
    let panel = w.weights + n / 16 * w.panelStride
    switch w.element {
    case .int4:
      let groups = w.groups!
      let byte = panel.load(fromByteOffset: k / 8 * 64 + n % 16 * 4 + k % 4, as: UInt8.self)
      let place = (n / 16 * groups.count(w.inputs) + k / groups.length) * 16 + n % 16
      let zeroPoint = groups.zeroPoints!.load(fromByteOffset: place, as: UInt8.self)
      return Float(8 * Int(byte >> (k / 4 % 2 * 4) & 15) - Int(zeroPoint))
    case .int8:
      return Float(panel.load(fromByteOffset: k / 4 * 64 + n % 16 * 4 + k % 4, as: Int8.self))
    case .float16:
      return halfToFloat((panel + k * 32 + n % 16 * 2).loadUnaligned(as: UInt16.self))
    case .float32:
      return (panel + k * 64 + n % 16 * 4).loadUnaligned(as: Float.self)
    }
  }

  /// `y = activation(dequantize(x) W^T + b)` over a range of panels, for integer weights.
  public static func gemmU8S8(
    _ x: QuantizedRows, _ rows: Int, _ w: WeightPanels, _ panels: Range<Int>, _ out: LinearOutput
  ) {
    for row in 0..<rows {
      for n in panels.lowerBound * 16..<min(panels.upperBound * 16, w.outputs) {
        var sum = 0.0
        for k in 0..<w.inputs {
          let product = (Int32(x.value(row, k)) - x.zeroPoints[row]) * Int32(weight(w, n, k))
          sum += Double(product) * factor(w, n, k)
        }
        let scale = Double(x.scales[row]) * Double(w.scales![n])
        let value = sum * scale + Double(w.bias?[n] ?? 0)
        out.y[row * out.stride + n] = Float(apply(out.activation, value))
      }
    }
  }

  /// `y = activation(x W^T + b)` over a range of panels, for any element type.
  public static func gemmFloat(
    _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ w: WeightPanels,
    _ panels: Range<Int>, _ out: LinearOutput
  ) {
    for row in 0..<rows {
      for n in panels.lowerBound * 16..<min(panels.upperBound * 16, w.outputs) {
        var sum = 0.0
        for k in 0..<w.inputs {
          sum += Double(x[row * xStride + k]) * Double(weight(w, n, k)) * factor(w, n, k)
        }
        let value = sum * Double(w.scales?[n] ?? 1) + Double(w.bias?[n] ?? 0)
        out.y[row * out.stride + n] = Float(apply(out.activation, value))
      }
    }
  }
}

extension QuantizedRows {
  /// The position of a column's byte in its row.
  func offset(_ row: Int, _ column: Int) -> Int {
    layout.offset(ofRow: row, stride: stride) + layout.offset(ofQuad: column / 4)
      + (layout == .evenOddWords ? [0, 4, 2, 6][column % 4] : column % 4)
  }

  /// The bits in which stored bytes differ from values.
  private var flipped: UInt8 { layout == .signedBytes || layout == .signedBytePairs ? 128 : 0 }

  /// The u8 value of a row and a column.
  public func value(_ row: Int, _ column: Int) -> UInt8 {
    values.load(fromByteOffset: offset(row, column), as: UInt8.self) ^ flipped
  }

  /// Stores the u8 value of a row and a column.
  public func set(_ row: Int, _ column: Int, _ value: UInt8) {
    let at = offset(row, column)
    values.storeBytes(of: value ^ flipped, toByteOffset: at, as: UInt8.self)
    if layout == .evenOddWords { values.storeBytes(of: 0, toByteOffset: at + 1, as: UInt8.self) }
  }
}
