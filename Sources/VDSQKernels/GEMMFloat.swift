import CShims

// f32 activations by fp32, fp16 or dequantized int8 weights, accumulated in f32.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func gemmFloat(
    _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ w: WeightPanels,
    _ panels: Range<Int>, _ out: LinearOutput
  ) {
    for panel in panels {
      let weights = w.weights + panel * w.panelStride
      let left = w.outputs - panel * 16
      let bias = w.bias.map { load16($0 + panel * 16, count: left) } ?? splat(0)
      let scale = w.scales.map { load16($0 + panel * 16) } ?? splat(1)
      var row = 0
      while row < rows {
        let block = RowTile(x, stride: xStride, first: row, rows: rows)
        let sums =
          switch w.element {
          case .int8: int8Block(block, weights, w, panel)
          case .float16: floatBlock(block, weights, w.inputs, 32) { ISA.loadHalf($0) }
          case .float32:
            floatBlock(block, weights, w.inputs, 64) {
              $0.loadUnaligned(as: SIMD16<Float>.self)
            }
          }
        withUnsafeBytes(of: sums) { bytes in
          for i in 0..<min(4, rows - row) {
            let sum = (bytes.baseAddress! + i * 64).loadUnaligned(as: SIMD16<Float>.self)
            let value = apply(out.activation, ISA.fma(sum, scale, bias))
            store16(value, out.y + (row + i) * out.stride + panel * 16, count: left)
          }
        }
        row += 4
      }
    }
  }

  @usableFromInline
  typealias Sums4 = (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>)

  @_alwaysEmitIntoClient @inline(__always)
  static func floatBlock(
    _ x: RowTile<Float>, _ weights: UnsafeRawPointer, _ inputs: Int, _ stride: Int,
    _ load: (UnsafeRawPointer) -> SIMD16<Float>
  ) -> Sums4 {
    // Two sums a row: four alone would wait for each other.
    var even: Sums4 = (splat(0), splat(0), splat(0), splat(0))
    var odd = even
    var k = 0
    while k + 2 <= inputs {
      x.accumulate(&even, k, load(weights + k * stride), ISA.fma)
      x.accumulate(&odd, k + 1, load(weights + (k + 1) * stride), ISA.fma)
      k += 2
    }
    if k < inputs { x.accumulate(&even, k, load(weights + k * stride), ISA.fma) }
    return (even.0 + odd.0, even.1 + odd.1, even.2 + odd.2, even.3 + odd.3)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func int8Block(
    _ x: RowTile<Float>, _ weights: UnsafeRawPointer, _ w: WeightPanels, _ panel: Int
  ) -> Sums4 {
    guard let groups = w.groups else { return int8Columns(x, weights, 0..<w.inputs) }
    let count = groups.count(w.inputs)
    var sums: Sums4 = (splat(0), splat(0), splat(0), splat(0))
    for group in 0..<count {
      let first = group * groups.length
      let own = int8Columns(x, weights, first..<min(first + groups.length, w.inputs))
      let factor = ISA.loadHalf(groups.factors + (panel * count + group) * 32)
      sums.0 = ISA.fma(own.0, factor, sums.0)
      sums.1 = ISA.fma(own.1, factor, sums.1)
      sums.2 = ISA.fma(own.2, factor, sums.2)
      sums.3 = ISA.fma(own.3, factor, sums.3)
    }
    return sums
  }

  /// Products of some columns, of which the first is a multiple of four.
  @_alwaysEmitIntoClient @inline(__always)
  static func int8Columns(
    _ x: RowTile<Float>, _ weights: UnsafeRawPointer, _ columns: Range<Int>
  ) -> Sums4 {
    var sums: Sums4 = (splat(0), splat(0), splat(0), splat(0))
    var k = columns.lowerBound
    while k < columns.upperBound {
      // A lane holds four consecutive weights of one output row: shift each to the top, then down.
      let quads = (weights + k * 16).loadUnaligned(as: SIMD16<Int32>.self)
      for j in 0..<min(4, columns.upperBound - k) {
        let top = vdsq_shift_left(quads, 24 - 8 * Int32(truncatingIfNeeded: j))
        let weight = vdsq_to_float(vdsq_shift_right(top, 24))
        x.accumulate(&sums, k + j, weight, ISA.fma)
      }
      k += 4
    }
    return sums
  }
}
