public import CShims

extension GenericKernels {
  /// Calls `body` for each vector of a row with its first column and the number of valid lanes.
  @_alwaysEmitIntoClient @inline(__always)
  static func forEachVector(_ columns: Int, _ body: (_ i: Int, _ count: Int) -> Void) {
    var i = 0
    while i + 16 <= columns {
      body(i, 16)
      i += 16
    }
    if i < columns { body(i, columns - i) }
  }

  /// Folds `step` over the vectors of a row in four independent chains, because a single chain
  /// would be limited by its latency.
  @_alwaysEmitIntoClient @inline(__always)
  static func fold(
    _ columns: Int, from start: SIMD16<Float>,
    _ join: (SIMD16<Float>, SIMD16<Float>) -> SIMD16<Float>,
    _ step: (_ chain: SIMD16<Float>, _ i: Int, _ count: Int) -> SIMD16<Float>
  ) -> SIMD16<Float> {
    var a = start, b = start, c = start, d = start
    var i = 0
    while i + 64 <= columns {
      a = step(a, i, 16)
      b = step(b, i + 16, 16)
      c = step(c, i + 32, 16)
      d = step(d, i + 48, 16)
      i += 64
    }
    while i + 16 <= columns {
      a = step(a, i, 16)
      i += 16
    }
    if i < columns { b = step(b, i, columns - i) }
    return join(join(a, b), join(c, d))
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func addLayerNorm(
    _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ norm: Normalization,
    _ rows: Int, _ columns: Int, _ y: UnsafeMutablePointer<Float>, _ ranges: RowRanges?
  ) {
    for row in 0..<rows {
      let destination = y + row * columns
      let total = addRow(
        x + row * columns, residual.map { $0 + row * columns }, columns, destination
      ) { $0 + $1 }
      let mean = splat(sum16(total) / Float(columns))
      // A second pass over the deviations, because the one-pass formula suffers from cancellation.
      let squares = fold(columns, from: splat(0), { $0 + $1 }) { sum, i, count in
        let d = load16(destination + i, count: count, fill: mean[0]) - mean
        return ISA.fma(d, d, sum)
      }
      let scale = 1 / (sum16(squares) / Float(columns) + norm.epsilon).squareRoot()
      scaleRow(destination, columns, mean, splat(scale), norm, row, ranges)
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func addRMSNorm(
    _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ norm: Normalization,
    _ rows: Int, _ columns: Int, _ y: UnsafeMutablePointer<Float>, _ ranges: RowRanges?
  ) {
    for row in 0..<rows {
      let destination = y + row * columns
      let squares = addRow(
        x + row * columns, residual.map { $0 + row * columns }, columns, destination
      ) { ISA.fma($1, $1, $0) }
      let scale = 1 / (sum16(squares) / Float(columns) + norm.epsilon).squareRoot()
      scaleRow(destination, columns, splat(0), splat(scale), norm, row, ranges)
    }
  }

  /// Computes `y = x + residual` and folds `step` over the vectors of y.
  @_alwaysEmitIntoClient @inline(__always)
  static func addRow(
    _ x: UnsafePointer<Float>, _ residual: UnsafePointer<Float>?, _ columns: Int,
    _ y: UnsafeMutablePointer<Float>, _ step: (SIMD16<Float>, SIMD16<Float>) -> SIMD16<Float>
  ) -> SIMD16<Float> {
    if let residual {
      return fold(columns, from: splat(0), { $0 + $1 }) { chain, i, count in
        let sum = load16(x + i, count: count) + load16(residual + i, count: count)
        store16(sum, y + i, count: count)
        return step(chain, sum)
      }
    }
    return fold(columns, from: splat(0), { $0 + $1 }) { chain, i, count in
      let v = load16(x + i, count: count)
      store16(v, y + i, count: count)
      return step(chain, v)
    }
  }

  /// `y = (y - mean) * scale * gain + bias`.
  @_alwaysEmitIntoClient @inline(__always)
  static func scaleRow(
    _ y: UnsafeMutablePointer<Float>, _ columns: Int, _ mean: SIMD16<Float>,
    _ scale: SIMD16<Float>, _ norm: Normalization, _ row: Int, _ ranges: RowRanges?
  ) {
    var low = splat(.infinity), high = splat(-.infinity)
    func apply(_ i: Int, _ count: Int, _ bias: SIMD16<Float>) {
      let d = (load16(y + i, count: count) - mean) * scale
      var v = ISA.fma(d, load16(norm.gain + i, count: count), bias)
      store16(v, y + i, count: count)
      if count < 16 { v = keep16(v, count: count, fill: y[i]) }
      low = vdsq_min(low, v)
      high = vdsq_max(high, v)
    }
    if let bias = norm.bias {
      forEachVector(columns) { i, count in apply(i, count, load16(bias + i, count: count)) }
    } else {
      forEachVector(columns) { i, count in apply(i, count, splat(0)) }
    }
    ranges?.set(row, low: low, high: high)
  }
}
