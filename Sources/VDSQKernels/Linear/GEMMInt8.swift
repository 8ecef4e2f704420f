public import CShims

// u8 x s8 -> s32 products over packed panels. Dequantization, bias and activation happen while the
// sums are in registers.

extension GenericKernels {
  /// Each frequent activation function has its own instance, so that there is no branch per vector.
  @_alwaysEmitIntoClient @inline(__always)
  static func gemmU8S8(
    _ x: QuantizedRows, _ rows: Int, _ w: WeightPanels, _ panels: Range<Int>, _ out: LinearOutput
  ) {
    let tile = Int8Tile(x: x, rows: rows, w: w, out: out)
    switch out.activation {
    case .identity: gemmU8S8(tile, panels) { $0 }
    case .gelu: gemmU8S8(tile, panels) { gelu($0) }
    default: gemmU8S8(tile, panels) { apply(out.activation, $0) }
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func gemmU8S8(
    _ tile: Int8Tile, _ panels: Range<Int>, _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    if let groups = tile.w.groups { return gemmU8S8(tile, groups, panels, activation) }
    let rows = tile.rows
    if rows == 1 {
      for panel in panels { tile.row1(0, panel, activation) }
      return
    }
    var row = 0
    switch ISA.tile {
    case .rows8Panels2:
      var panel = panels.lowerBound
      while panel < panels.upperBound {
        // If the number of panels is odd, the last one is computed twice and stored once.
        let second = min(panel + 1, panels.upperBound - 1)
        row = 0
        while row + 4 < rows {
          tile.rows8(row, panel, second, activation)
          row += 8
        }
        if row < rows { tile.rows4(row, panel, second, activation) }
        panel += 2
      }
    case .rows4Panels1:
      for panel in panels {
        row = 0
        while row < rows {
          tile.rows4(row, panel, activation)
          row += 4
        }
      }
    case .rows8Halves:
      for panel in panels {
        row = 0
        while row < rows {
          if row == rows - 1 {
            tile.row1(row, panel, activation)
          } else {
            tile.rows(row, panel, activation)
          }
          row += ISA.tileRows
        }
      }
    }
  }

  /// The operands of one GEMM, and the register tiles over them. Rows beyond the last repeat the
  /// last row and are not stored.
  @frozen @usableFromInline
  struct Int8Tile {
    @usableFromInline let x: QuantizedRows
    @usableFromInline let rows: Int
    @usableFromInline let w: WeightPanels
    @usableFromInline let out: LinearOutput

    @_alwaysEmitIntoClient @inline(__always)
    init(x: QuantizedRows, rows: Int, w: WeightPanels, out: LinearOutput) {
      self.x = x
      self.rows = rows
      self.w = w
      self.out = out
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rowPointer(_ row: Int) -> UnsafeRawPointer {
      UnsafeRawPointer(x.values + (row < rows ? row : rows - 1) * x.stride)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func panelPointer(_ panel: Int) -> UnsafeRawPointer { w.weights + panel * w.panelStride }

    @_alwaysEmitIntoClient @inline(__always)
    var quads: Int { (w.inputs + 3) / 4 }

    /// Sums start at the correction for the zero point: its product with the sums of the weights.
    @_alwaysEmitIntoClient @inline(__always)
    func start(_ row: Int, _ panel: Int) -> SIMD16<Int32> {
      let zeroPoint = x.zeroPoints[row < rows ? row : rows - 1]
      let sums = UnsafeRawPointer(w.rowSums! + panel * 16)
        .loadUnaligned(as: SIMD16<Int32>.self)
      return sums &* SIMD16(repeating: ISA.activationBias &- zeroPoint)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func finish(
      _ sums: ISA.Accumulator, _ row: Int, _ column: PanelColumn,
      _ activation: (SIMD16<Float>) -> SIMD16<Float>
    ) {
      guard row < rows else { return }
      finish(vdsq_to_float(ISA.lanes(sums)), row, column, activation)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func finish(
      _ sums: SIMD16<Float>, _ row: Int, _ column: PanelColumn,
      _ activation: (SIMD16<Float>) -> SIMD16<Float>
    ) {
      let value = activation(ISA.fma(sums * column.scale, splat(x.scales[row]), column.bias))
      let y = out.y + row * out.stride + column.first
      store16(value, y, count: column.left)
    }

    /// The only row, or the last one. Memory's speed limits a single row, so weights are read in
    /// their order: one stream, which the hardware prefetcher follows best.
    @_alwaysEmitIntoClient @inline(__always)
    func row1(_ row: Int, _ panel: Int, _ activation: (SIMD16<Float>) -> SIMD16<Float>) {
      let a = UnsafeRawPointer(x.values) + ISA.activationLayout.offset(ofRow: row, stride: x.stride)
      let p = panelPointer(panel)
      let zero = SIMD16<Int32>(repeating: 0)
      var c0 = ISA.accumulator(start(row, panel)), c1 = ISA.accumulator(zero)
      var c2 = ISA.accumulator(zero), c3 = ISA.accumulator(zero)
      func activations(_ quad: Int) -> ISA.ActivationQuad {
        ISA.loadActivations(a + ISA.activationLayout.offset(ofQuad: quad))
      }
      var quad = 0
      while quad + 4 <= quads {
        let from = p + quad * 64
        c0 = ISA.dot(c0, activations(quad), ISA.loadWeights(from))
        c1 = ISA.dot(c1, activations(quad + 1), ISA.loadWeights(from + 64))
        c2 = ISA.dot(c2, activations(quad + 2), ISA.loadWeights(from + 128))
        c3 = ISA.dot(c3, activations(quad + 3), ISA.loadWeights(from + 192))
        quad += 4
      }
      while quad < quads {
        c0 = ISA.dot(c0, activations(quad), ISA.loadWeights(p + quad * 64))
        quad += 1
      }
      let sums = ISA.lanes(c0) &+ ISA.lanes(c1) &+ ISA.lanes(c2) &+ ISA.lanes(c3)
      finish(ISA.accumulator(sums), row, PanelColumn(w, panel), activation)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rows8(
      _ row: Int, _ first: Int, _ second: Int, _ activation: (SIMD16<Float>) -> SIMD16<Float>
    ) {
      let a0 = rowPointer(row), a1 = rowPointer(row + 1)
      let a2 = rowPointer(row + 2), a3 = rowPointer(row + 3)
      let a4 = rowPointer(row + 4), a5 = rowPointer(row + 5)
      let a6 = rowPointer(row + 6), a7 = rowPointer(row + 7)
      let p = panelPointer(first), q = panelPointer(second)
      var c00 = ISA.accumulator(start(row, first)), c01 = ISA.accumulator(start(row, second))
      var c10 = ISA.accumulator(start(row + 1, first))
      var c11 = ISA.accumulator(start(row + 1, second))
      var c20 = ISA.accumulator(start(row + 2, first))
      var c21 = ISA.accumulator(start(row + 2, second))
      var c30 = ISA.accumulator(start(row + 3, first))
      var c31 = ISA.accumulator(start(row + 3, second))
      var c40 = ISA.accumulator(start(row + 4, first))
      var c41 = ISA.accumulator(start(row + 4, second))
      var c50 = ISA.accumulator(start(row + 5, first))
      var c51 = ISA.accumulator(start(row + 5, second))
      var c60 = ISA.accumulator(start(row + 6, first))
      var c61 = ISA.accumulator(start(row + 6, second))
      var c70 = ISA.accumulator(start(row + 7, first))
      var c71 = ISA.accumulator(start(row + 7, second))
      let next = 2 * w.panelStride
      for quad in 0..<quads {
        vdsq_prefetch_later(p + next + quad * 64)
        vdsq_prefetch_later(q + next + quad * 64)
        let w0 = ISA.loadWeights(p + quad * 64), w1 = ISA.loadWeights(q + quad * 64)
        let at = ISA.activationLayout.offset(ofQuad: quad)
        var a = ISA.loadActivations(a0 + at)
        c00 = ISA.dot(c00, a, w0)
        c01 = ISA.dot(c01, a, w1)
        a = ISA.loadActivations(a1 + at)
        c10 = ISA.dot(c10, a, w0)
        c11 = ISA.dot(c11, a, w1)
        a = ISA.loadActivations(a2 + at)
        c20 = ISA.dot(c20, a, w0)
        c21 = ISA.dot(c21, a, w1)
        a = ISA.loadActivations(a3 + at)
        c30 = ISA.dot(c30, a, w0)
        c31 = ISA.dot(c31, a, w1)
        a = ISA.loadActivations(a4 + at)
        c40 = ISA.dot(c40, a, w0)
        c41 = ISA.dot(c41, a, w1)
        a = ISA.loadActivations(a5 + at)
        c50 = ISA.dot(c50, a, w0)
        c51 = ISA.dot(c51, a, w1)
        a = ISA.loadActivations(a6 + at)
        c60 = ISA.dot(c60, a, w0)
        c61 = ISA.dot(c61, a, w1)
        a = ISA.loadActivations(a7 + at)
        c70 = ISA.dot(c70, a, w0)
        c71 = ISA.dot(c71, a, w1)
      }
      let left = PanelColumn(w, first)
      finish(c00, row, left, activation)
      finish(c10, row + 1, left, activation)
      finish(c20, row + 2, left, activation)
      finish(c30, row + 3, left, activation)
      finish(c40, row + 4, left, activation)
      finish(c50, row + 5, left, activation)
      finish(c60, row + 6, left, activation)
      finish(c70, row + 7, left, activation)
      guard second != first else { return }
      let right = PanelColumn(w, second)
      finish(c01, row, right, activation)
      finish(c11, row + 1, right, activation)
      finish(c21, row + 2, right, activation)
      finish(c31, row + 3, right, activation)
      finish(c41, row + 4, right, activation)
      finish(c51, row + 5, right, activation)
      finish(c61, row + 6, right, activation)
      finish(c71, row + 7, right, activation)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rows4(
      _ row: Int, _ first: Int, _ second: Int, _ activation: (SIMD16<Float>) -> SIMD16<Float>
    ) {
      let a0 = rowPointer(row), a1 = rowPointer(row + 1)
      let a2 = rowPointer(row + 2), a3 = rowPointer(row + 3)
      let p = panelPointer(first), q = panelPointer(second)
      var c00 = ISA.accumulator(start(row, first)), c01 = ISA.accumulator(start(row, second))
      var c10 = ISA.accumulator(start(row + 1, first))
      var c11 = ISA.accumulator(start(row + 1, second))
      var c20 = ISA.accumulator(start(row + 2, first))
      var c21 = ISA.accumulator(start(row + 2, second))
      var c30 = ISA.accumulator(start(row + 3, first))
      var c31 = ISA.accumulator(start(row + 3, second))
      let next = 2 * w.panelStride
      for quad in 0..<quads {
        vdsq_prefetch_later(p + next + quad * 64)
        vdsq_prefetch_later(q + next + quad * 64)
        let w0 = ISA.loadWeights(p + quad * 64), w1 = ISA.loadWeights(q + quad * 64)
        let at = ISA.activationLayout.offset(ofQuad: quad)
        var a = ISA.loadActivations(a0 + at)
        c00 = ISA.dot(c00, a, w0)
        c01 = ISA.dot(c01, a, w1)
        a = ISA.loadActivations(a1 + at)
        c10 = ISA.dot(c10, a, w0)
        c11 = ISA.dot(c11, a, w1)
        a = ISA.loadActivations(a2 + at)
        c20 = ISA.dot(c20, a, w0)
        c21 = ISA.dot(c21, a, w1)
        a = ISA.loadActivations(a3 + at)
        c30 = ISA.dot(c30, a, w0)
        c31 = ISA.dot(c31, a, w1)
      }
      let left = PanelColumn(w, first)
      finish(c00, row, left, activation)
      finish(c10, row + 1, left, activation)
      finish(c20, row + 2, left, activation)
      finish(c30, row + 3, left, activation)
      guard second != first else { return }
      let right = PanelColumn(w, second)
      finish(c01, row, right, activation)
      finish(c11, row + 1, right, activation)
      finish(c21, row + 2, right, activation)
      finish(c31, row + 3, right, activation)
    }

    /// Four rows, whose sums stay in registers.
    @_alwaysEmitIntoClient @inline(__always)
    func rows4(_ row: Int, _ panel: Int, _ activation: (SIMD16<Float>) -> SIMD16<Float>) {
      var sums = (
        ISA.accumulator(start(row, panel)), ISA.accumulator(start(row + 1, panel)),
        ISA.accumulator(start(row + 2, panel)), ISA.accumulator(start(row + 3, panel))
      )
      ISA.multiply(ActivationRows(x, first: row, rows: rows), panelPointer(panel), quads, &sums)
      let column = PanelColumn(w, panel)
      finish(sums.0, row, column, activation)
      finish(sums.1, row + 1, column, activation)
      finish(sums.2, row + 2, column, activation)
      finish(sums.3, row + 3, column, activation)
    }

    /// As many rows as the instruction set multiplies at once.
    @_alwaysEmitIntoClient @inline(__always)
    func rows(_ row: Int, _ panel: Int, _ activation: (SIMD16<Float>) -> SIMD16<Float>) {
      withUnsafeTemporaryAllocation(of: SIMD16<Int32>.self, capacity: ISA.tileRows) {
        let sums = $0.baseAddress!
        let count = min(ISA.tileRows, rows - row)
        for i in 0..<count { sums[i] = start(row + i, panel) }
        ISA.multiply(
          ActivationRows(x, first: row, rows: rows), panelPointer(panel), quads, sums)
        let column = PanelColumn(w, panel)
        for i in 0..<count {
          finish(vdsq_to_float(sums[i]), row + i, column, activation)
        }
      }
    }
  }
}
