import CShims

// f32 activations by fp16 or dequantized int8 weights, accumulated in f32.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func gemmFloat(
    _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ w: WeightPanels,
    _ panels: Range<Int>, _ activation: Activation, _ y: UnsafeMutablePointer<Float>,
    _ yStride: Int
  ) {
    for panel in panels {
      let weights = w.weights + panel * w.panelStride
      var row = 0
      while row < rows {
        let block = FloatRows(x: x, stride: xStride, first: row, rows: rows)
        let sums =
          switch w.element {
          case .int8: int8Block(block, weights, w.inputs)
          case .float16: halfBlock(block, weights, w.inputs)
          }
        store(sums.0, row, rows, w, panel, activation, y, yStride)
        store(sums.1, row + 1, rows, w, panel, activation, y, yStride)
        store(sums.2, row + 2, rows, w, panel, activation, y, yStride)
        store(sums.3, row + 3, rows, w, panel, activation, y, yStride)
        row += 4
      }
    }
  }

  @usableFromInline
  typealias Sums4 = (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>)

  @_alwaysEmitIntoClient @inline(__always)
  static func halfBlock(_ x: FloatRows, _ weights: UnsafeRawPointer, _ inputs: Int) -> Sums4 {
    var sums: Sums4 = (splat(0), splat(0), splat(0), splat(0))
    for k in 0..<inputs {
      x.accumulate(&sums, k, ISA.loadHalf(weights + k * 32), ISA.self)
    }
    return sums
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func int8Block(_ x: FloatRows, _ weights: UnsafeRawPointer, _ inputs: Int) -> Sums4 {
    var sums: Sums4 = (splat(0), splat(0), splat(0), splat(0))
    var k = 0
    while k < inputs {
      // A lane holds four consecutive weights of one output row: shift each to the top, then down.
      let quads = (weights + k * 16).loadUnaligned(as: SIMD16<Int32>.self)
      for j in 0..<min(4, inputs - k) {
        let top = vdsq_shift_left(quads, 24 - 8 * Int32(truncatingIfNeeded: j))
        let weight = vdsq_to_float(vdsq_shift_right(top, 24))
        x.accumulate(&sums, k + j, weight, ISA.self)
      }
      k += 4
    }
    return sums
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func store(
    _ sums: SIMD16<Float>, _ row: Int, _ rows: Int, _ w: WeightPanels, _ panel: Int,
    _ activation: Activation, _ y: UnsafeMutablePointer<Float>, _ yStride: Int
  ) {
    guard row < rows else { return }
    let column = panel * 16
    let left = w.outputs - column
    let bias = w.bias.map { load16($0 + column, count: left) } ?? splat(0)
    let scale = w.scales.map { load16($0 + column) } ?? splat(1)
    let value = ISA.fma(sums, scale, bias)
    store16(apply(activation, value), y + row * yStride + column, count: left)
  }
}

/// Four rows of floats; rows past the last are the last again.
@frozen @usableFromInline
struct FloatRows {
  @usableFromInline let a0: UnsafePointer<Float>
  @usableFromInline let a1: UnsafePointer<Float>
  @usableFromInline let a2: UnsafePointer<Float>
  @usableFromInline let a3: UnsafePointer<Float>

  @_alwaysEmitIntoClient @inline(__always)
  init(x: UnsafePointer<Float>, stride: Int, first: Int, rows: Int) {
    a0 = x + first * stride
    a1 = x + min(first + 1, rows - 1) * stride
    a2 = x + min(first + 2, rows - 1) * stride
    a3 = x + min(first + 3, rows - 1) * stride
  }

  @_alwaysEmitIntoClient @inline(__always)
  func accumulate<ISA: VectorISA>(
    _ sums: inout (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>), _ k: Int,
    _ weight: SIMD16<Float>, _: ISA.Type
  ) {
    sums.0 = ISA.fma(SIMD16(repeating: a0[k]), weight, sums.0)
    sums.1 = ISA.fma(SIMD16(repeating: a1[k]), weight, sums.1)
    sums.2 = ISA.fma(SIMD16(repeating: a2[k]), weight, sums.2)
    sums.3 = ISA.fma(SIMD16(repeating: a3[k]), weight, sums.3)
  }
}
