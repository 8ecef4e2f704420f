import CShims

// What happens to a linear layer's sums: dequantization, bias, activation, the rows' extremes. One
// loop for each activation function, rather than a choice at every vector.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func finish(
    _ tile: Int8Tile, _ rows: Range<Int>, _ panels: Range<Int>, _ out: LinearOutput
  ) {
    switch out.activation {
    case .identity: finish(tile, rows, panels, out) { $0 }
    case .gelu: finish(tile, rows, panels, out) { gelu($0) }
    case .geluTanh: finish(tile, rows, panels, out) { apply(.geluTanh, $0) }
    case .relu: finish(tile, rows, panels, out) { apply(.relu, $0) }
    case .silu: finish(tile, rows, panels, out) { apply(.silu, $0) }
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func finish(
    _ tile: Int8Tile, _ rows: Range<Int>, _ panels: Range<Int>, _ out: LinearOutput,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    for panel in panels {
      let column = panel * 16
      let left = tile.w.outputs - column
      let scale = load16(tile.w.scales! + column)
      let bias = tile.w.bias.map { load16($0 + column, count: left) } ?? splat(0)
      let sums = tile.sums + (panel - panels.lowerBound) * 8
      let scales = tile.x.scales + rows.lowerBound
      let y = out.y + rows.lowerBound * out.stride + column
      func value(_ i: Int) -> SIMD16<Float> {
        activation(ISA.fma(vdsq_to_float(sums[i]) * scale, splat(scales[i]), bias))
      }
      if left < 16 {
        for i in 0..<rows.count {
          let v = value(i)
          store16(v, y + i * out.stride, count: left)
          widen(out.ranges, rows.lowerBound + i, column, keep16(v, count: left, fill: v[0]))
        }
      } else if out.ranges != nil {
        for i in 0..<rows.count {
          let v = value(i)
          store16(v, y + i * out.stride)
          widen(out.ranges, rows.lowerBound + i, column, v)
        }
      } else {
        for i in 0..<rows.count { store16(value(i), y + i * out.stride) }
      }
    }
  }

  /// Widens a row's range by a vector; the first column starts it.
  @_alwaysEmitIntoClient @inline(__always)
  static func widen(_ ranges: RowRanges?, _ row: Int, _ column: Int, _ v: SIMD16<Float>) {
    guard let ranges else { return }
    let lanes = ranges.lanes + row * 32
    if column == 0 {
      store16(v, lanes)
      store16(v, lanes + 16)
    } else {
      store16(vdsq_min(load16(lanes), v), lanes)
      store16(vdsq_max(load16(lanes + 16), v), lanes + 16)
    }
  }
}
