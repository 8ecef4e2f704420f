import CShims

// u8 x s8 -> s32 over packed panels; dequantization, bias, activation and the rows' extremes in the
// epilogue.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func gemmU8S8(
    _ x: QuantizedRows, _ rows: Int, _ w: WeightPanels, _ panels: Range<Int>, _ out: LinearOutput
  ) {
    // A register tile's sums on their way to the epilogue: eight rows of up to two panels.
    withUnsafeTemporaryAllocation(byteCount: 16 * 64, alignment: 64) { scratch in
      let sums = scratch.baseAddress!.assumingMemoryBound(to: SIMD16<Int32>.self)
      let tile = Int8Tile(x: x, rows: rows, w: w, sums: sums)
      var panel = panels.lowerBound
      while panel < panels.upperBound {
        let width = ISA.tile == .rows8Panels2 ? min(2, panels.upperBound - panel) : 1
        var row = 0
        while row < rows {
          let left = rows - row
          let height: Int
          switch ISA.tile {
          case .rows8Panels2:
            // An odd last panel is computed twice and stored once.
            height = min(left, left > 4 ? 8 : 4)
            if left > 4 {
              tile.rows8(row, panel, panel + width - 1)
            } else {
              tile.rows4(row, panel, panel + width - 1)
            }
          case .rows4Panels1:
            height = min(left, 4)
            tile.rows4(row, panel)
          }
          finish(tile, row..<row + height, panel..<panel + width, out)
          row += height
        }
        panel += width
      }
    }
  }

  /// One GEMM's operands, and the register tiles over them. Rows past the last are computed from
  /// the last row again and not stored.
  @frozen @usableFromInline
  struct Int8Tile {
    @usableFromInline let x: QuantizedRows
    @usableFromInline let rows: Int
    @usableFromInline let w: WeightPanels
    /// `[2 panels][8 rows]`.
    @usableFromInline let sums: UnsafeMutablePointer<SIMD16<Int32>>

    @_alwaysEmitIntoClient @inline(__always)
    init(
      x: QuantizedRows, rows: Int, w: WeightPanels, sums: UnsafeMutablePointer<SIMD16<Int32>>
    ) {
      self.x = x
      self.rows = rows
      self.w = w
      self.sums = sums
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rowPointer(_ row: Int) -> UnsafeRawPointer {
      UnsafeRawPointer(x.values + (row < rows ? row : rows - 1) * x.stride)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func panelPointer(_ panel: Int) -> UnsafeRawPointer { w.weights + panel * w.panelStride }

    @_alwaysEmitIntoClient @inline(__always)
    var quads: Int { (w.inputs + 3) / 4 }

    /// Sums start at what the zero point takes away: its product with the sums of the weights.
    @_alwaysEmitIntoClient @inline(__always)
    func start(_ row: Int, _ panel: Int) -> SIMD16<Int32> {
      let zeroPoint = x.zeroPoints[row < rows ? row : rows - 1]
      let sums = UnsafeRawPointer(w.rowSums! + panel * 16)
        .loadUnaligned(as: SIMD16<Int32>.self)
      return sums &* SIMD16(repeating: ISA.activationBias &- zeroPoint)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rows8(_ row: Int, _ first: Int, _ second: Int) {
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
      let step = ISA.activationLayout.bytesPerQuad
      let next = 2 * w.panelStride
      for quad in 0..<quads {
        vdsq_prefetch_later(p + next + quad * 64)
        vdsq_prefetch_later(q + next + quad * 64)
        let w0 = ISA.loadWeights(p + quad * 64), w1 = ISA.loadWeights(q + quad * 64)
        let at = quad * step
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
      (sums[0], sums[1], sums[2], sums[3]) = (
        ISA.lanes(c00), ISA.lanes(c10), ISA.lanes(c20), ISA.lanes(c30)
      )
      (sums[4], sums[5], sums[6], sums[7]) = (
        ISA.lanes(c40), ISA.lanes(c50), ISA.lanes(c60), ISA.lanes(c70)
      )
      (sums[8], sums[9], sums[10], sums[11]) = (
        ISA.lanes(c01), ISA.lanes(c11), ISA.lanes(c21), ISA.lanes(c31)
      )
      (sums[12], sums[13], sums[14], sums[15]) = (
        ISA.lanes(c41), ISA.lanes(c51), ISA.lanes(c61), ISA.lanes(c71)
      )
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rows4(_ row: Int, _ first: Int, _ second: Int) {
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
      let step = ISA.activationLayout.bytesPerQuad
      let next = 2 * w.panelStride
      for quad in 0..<quads {
        vdsq_prefetch_later(p + next + quad * 64)
        vdsq_prefetch_later(q + next + quad * 64)
        let w0 = ISA.loadWeights(p + quad * 64), w1 = ISA.loadWeights(q + quad * 64)
        let at = quad * step
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
      (sums[0], sums[1]) = (ISA.lanes(c00), ISA.lanes(c10))
      (sums[2], sums[3]) = (ISA.lanes(c20), ISA.lanes(c30))
      (sums[8], sums[9]) = (ISA.lanes(c01), ISA.lanes(c11))
      (sums[10], sums[11]) = (ISA.lanes(c21), ISA.lanes(c31))
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rows4(_ row: Int, _ panel: Int) {
      var four = Lanes4(
        start(row, panel), start(row + 1, panel), start(row + 2, panel), start(row + 3, panel))
      ISA.rows4(
        FourRows(rowPointer(row), rowPointer(row + 1), rowPointer(row + 2), rowPointer(row + 3)),
        panelPointer(panel), quads, &four)
      (sums[0], sums[1], sums[2], sums[3]) = (four.c0, four.c1, four.c2, four.c3)
    }
  }
}
