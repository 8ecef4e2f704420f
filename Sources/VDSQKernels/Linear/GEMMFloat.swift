public import CShims

// Products of f32 activations with fp32, fp16 or dequantized integer weights, accumulated in f32.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func gemmFloat(
    _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ w: WeightPanels,
    _ panels: Range<Int>, _ out: LinearOutput
  ) {
    switch w.element {
    case .int8, .int4:
      for panel in panels {
        let column = PanelColumn(w, panel)
        for row in stride(from: 0, to: rows, by: 4) {
          let tile = RowTile(x, stride: xStride, first: row, rows: rows)
          finish(integerBlock(tile, w, panel), row, rows, column, out)
        }
      }
    case .float16:
      floatPanels(x, xStride, rows, w, panels, out, 32) { ISA.loadHalf($0) }
    case .float32:
      floatPanels(x, xStride, rows, w, panels, out, 64) {
        $0.loadUnaligned(as: SIMD16<Float>.self)
      }
    }
  }

  /// - Parameter bytes: the size of a panel's column in bytes.
  @_alwaysEmitIntoClient @inline(__always)
  static func floatPanels(
    _ x: UnsafePointer<Float>, _ xStride: Int, _ rows: Int, _ w: WeightPanels,
    _ panels: Range<Int>, _ out: LinearOutput, _ bytes: Int,
    _ load: (UnsafeRawPointer) -> SIMD16<Float>
  ) {
    // Two panels share the broadcast elements of the rows if the registers hold the sums of both.
    let step = ISA.tile == .rows8Panels2 ? 2 : 1
    for panel in stride(from: panels.lowerBound, to: panels.upperBound, by: step) {
      let weights = w.weights + panel * w.panelStride
      let column = PanelColumn(w, panel)
      let isPair = step == 2 && panel + 1 < panels.upperBound
      let other = isPair ? PanelColumn(w, panel + 1) : column
      var row = 0
      if isPair {
        let next = weights + w.panelStride
        while row + 4 < rows {
          let upper = RowTile(x, stride: xStride, first: row, rows: rows)
          let lower = RowTile(x, stride: xStride, first: row + 4, rows: rows)
          var sums = noSums4, others = noSums4, lowerSums = noSums4, lowerOthers = noSums4
          for k in 0..<w.inputs {
            let a = load(weights + k * bytes), b = load(next + k * bytes)
            upper.accumulate(&sums, &others, k, a, b, ISA.fma)
            lower.accumulate(&lowerSums, &lowerOthers, k, a, b, ISA.fma)
          }
          finish(sums, row, rows, column, out)
          finish(others, row, rows, other, out)
          finish(lowerSums, row + 4, rows, column, out)
          finish(lowerOthers, row + 4, rows, other, out)
          row += 8
        }
      }
      if ISA.tile == .rows8Halves {
        while row + 4 < rows {
          let tile = HalfPanelTile(x, stride: xStride, first: row, rows: rows)
          let sums = tile.products(
            w.inputs, zero: splat(0), { load(weights + $0 * bytes) }, ISA.fma)
          finish(sums.upper, row, rows, column, out)
          finish(sums.lower, row + 4, rows, column, out)
          row += 8
        }
      }
      while row < rows {
        let tile = RowTile(x, stride: xStride, first: row, rows: rows)
        var sums = noSums4
        if isPair {
          var others = noSums4
          let next = weights + w.panelStride
          for k in 0..<w.inputs {
            tile.accumulate(
              &sums, &others, k, load(weights + k * bytes), load(next + k * bytes), ISA.fma)
          }
          finish(others, row, rows, other, out)
        } else {
          for k in 0..<w.inputs { tile.accumulate(&sums, k, load(weights + k * bytes), ISA.fma) }
        }
        finish(sums, row, rows, column, out)
        row += 4
      }
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func finish(
    _ sums: Sums4, _ row: Int, _ rows: Int, _ column: PanelColumn, _ out: LinearOutput
  ) {
    withUnsafeBytes(of: sums) { bytes in
      for i in 0..<min(4, rows - row) {
        let sum = (bytes.baseAddress! + i * 64).loadUnaligned(as: SIMD16<Float>.self)
        let value = apply(out.activation, ISA.fma(sum, column.scale, column.bias))
        store16(value, out.y + (row + i) * out.stride + column.first, count: column.left)
      }
    }
  }

  @usableFromInline
  typealias Sums4 = (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>)

  @_alwaysEmitIntoClient @inline(__always)
  static var noSums4: Sums4 { (splat(0), splat(0), splat(0), splat(0)) }

  @_alwaysEmitIntoClient @inline(__always)
  static func integerBlock(_ x: RowTile<Float>, _ w: WeightPanels, _ panel: Int) -> Sums4 {
    guard let groups = w.groups else {
      return int8Columns(x, w.weights + panel * w.panelStride, 0..<w.inputs)
    }
    let count = groups.count(w.inputs)
    var sums = noSums4
    for group in 0..<count {
      let first = group * groups.length
      let factor = ISA.loadHalf(groups.factors + (panel * count + group) * 32)
      withGroup(w, groups, panel: panel, group: group) { weights, _ in
        let own = int8Columns(
          x, weights - first * 16, first..<min(first + groups.length, w.inputs))
        sums.0 = ISA.fma(own.0, factor, sums.0)
        sums.1 = ISA.fma(own.1, factor, sums.1)
        sums.2 = ISA.fma(own.2, factor, sums.2)
        sums.3 = ISA.fma(own.3, factor, sums.3)
      }
    }
    return sums
  }

  /// The products of a range of columns, whose first is a multiple of four.
  @_alwaysEmitIntoClient @inline(__always)
  static func int8Columns(
    _ x: RowTile<Float>, _ weights: UnsafeRawPointer, _ columns: Range<Int>
  ) -> Sums4 {
    var sums = noSums4
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
