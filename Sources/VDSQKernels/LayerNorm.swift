import CShims

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func addLayerNorm(
    _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ gain: UnsafePointer<Float>,
    _ bias: UnsafePointer<Float>, _ epsilon: Float, _ rows: Int, _ columns: Int,
    _ y: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<rows {
      let source = x + row * columns
      let destination = y + row * columns
      var total = splat(0)
      var i = 0
      while i < columns {
        let left = columns - i
        var v = load16(source + i, count: left)
        if let residual { v = v + load16(residual + row * columns + i, count: left) }
        total = total + v
        store16(v, destination + i, count: left)
        i += 16
      }
      let mean = splat(sum16(total) / Float(columns))
      // A second pass over deviations: the one-pass formula cancels.
      var squares = splat(0)
      i = 0
      while i < columns {
        let d = load16(destination + i, count: columns - i, fill: mean[0]) - mean
        squares = ISA.fma(d, d, squares)
        i += 16
      }
      let scale = splat(1 / (sum16(squares) / Float(columns) + epsilon).squareRoot())
      i = 0
      while i < columns {
        let left = columns - i
        let d = (load16(destination + i, count: left) - mean) * scale
        let v = ISA.fma(d, load16(gain + i, count: left), load16(bias + i, count: left))
        store16(v, destination + i, count: left)
        i += 16
      }
    }
  }
}
