import CShims

// u8 x s8 -> s32 over packed panels, with dequantization, bias and activation in the epilogue.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func gemmU8S8(
    _ x: QuantizedRows, _ rows: Int, _ w: WeightPanels, _ panels: Range<Int>,
    _ activation: Activation, _ y: UnsafeMutablePointer<Float>, _ yStride: Int
  ) {
    let tile = Int8Tile(x: x, rows: rows, w: w, activation: activation, y: y, yStride: yStride)
    switch ISA.tile {
    case .rows8Panels2:
      var panel = panels.lowerBound
      while panel < panels.upperBound {
        // An odd last panel is computed twice and stored once.
        let second = panel + 1 < panels.upperBound ? panel + 1 : panel
        var row = 0
        while row + 4 < rows {
          tile.rows8(row, panel, second)
          row += 8
        }
        while row < rows {
          tile.rows4(row, panel, second)
          row += 4
        }
        panel += 2
      }
    case .rows4Panels1:
      for panel in panels {
        var row = 0
        while row < rows {
          tile.rows4(row, panel)
          row += 4
        }
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
    @usableFromInline let activation: Activation
    @usableFromInline let y: UnsafeMutablePointer<Float>
    @usableFromInline let yStride: Int

    @_alwaysEmitIntoClient @inline(__always)
    init(
      x: QuantizedRows, rows: Int, w: WeightPanels, activation: Activation,
      y: UnsafeMutablePointer<Float>, yStride: Int
    ) {
      self.x = x
      self.rows = rows
      self.w = w
      self.activation = activation
      self.y = y
      self.yStride = yStride
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rowPointer(_ row: Int) -> UnsafeRawPointer {
      UnsafeRawPointer(x.values + (row < rows ? row : rows - 1) * x.stride)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func panelPointer(_ panel: Int) -> UnsafeRawPointer { w.weights + panel * w.panelStride }

    @_alwaysEmitIntoClient @inline(__always)
    func store(_ sums: ISA.Accumulator, _ row: Int, _ panel: Int) {
      guard row < rows else { return }
      let column = panel * 16
      let rowSums = UnsafeRawPointer(w.rowSums! + column)
        .loadUnaligned(as: SIMD16<Int32>.self)
      let offset = SIMD16<Int32>(repeating: x.zeroPoints[row] &- ISA.activationBias)
      let exact = ISA.lanes(sums) &- rowSums &* offset
      let scale = load16(w.scales! + column) * splat(x.scales[row])
      let left = w.outputs - column
      let bias = w.bias.map { load16($0 + column, count: left) } ?? splat(0)
      let value = ISA.fma(vdsq_to_float(exact), scale, bias)
      store16(apply(activation, value), y + row * yStride + column, count: left)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rows8(_ row: Int, _ first: Int, _ second: Int) {
      let a0 = rowPointer(row), a1 = rowPointer(row + 1)
      let a2 = rowPointer(row + 2), a3 = rowPointer(row + 3)
      let a4 = rowPointer(row + 4), a5 = rowPointer(row + 5)
      let a6 = rowPointer(row + 6), a7 = rowPointer(row + 7)
      let p = panelPointer(first), q = panelPointer(second)
      var c00 = ISA.zero, c10 = ISA.zero, c20 = ISA.zero, c30 = ISA.zero
      var c40 = ISA.zero, c50 = ISA.zero, c60 = ISA.zero, c70 = ISA.zero
      var c01 = ISA.zero, c11 = ISA.zero, c21 = ISA.zero, c31 = ISA.zero
      var c41 = ISA.zero, c51 = ISA.zero, c61 = ISA.zero, c71 = ISA.zero
      let bytes = (w.inputs + 3) & ~3
      var k = 0
      while k < bytes {
        let w0 = ISA.loadWeights(p + k * 16), w1 = ISA.loadWeights(q + k * 16)
        var a = ISA.loadActivations(a0 + k)
        c00 = ISA.dot(c00, a, w0)
        c01 = ISA.dot(c01, a, w1)
        a = ISA.loadActivations(a1 + k)
        c10 = ISA.dot(c10, a, w0)
        c11 = ISA.dot(c11, a, w1)
        a = ISA.loadActivations(a2 + k)
        c20 = ISA.dot(c20, a, w0)
        c21 = ISA.dot(c21, a, w1)
        a = ISA.loadActivations(a3 + k)
        c30 = ISA.dot(c30, a, w0)
        c31 = ISA.dot(c31, a, w1)
        a = ISA.loadActivations(a4 + k)
        c40 = ISA.dot(c40, a, w0)
        c41 = ISA.dot(c41, a, w1)
        a = ISA.loadActivations(a5 + k)
        c50 = ISA.dot(c50, a, w0)
        c51 = ISA.dot(c51, a, w1)
        a = ISA.loadActivations(a6 + k)
        c60 = ISA.dot(c60, a, w0)
        c61 = ISA.dot(c61, a, w1)
        a = ISA.loadActivations(a7 + k)
        c70 = ISA.dot(c70, a, w0)
        c71 = ISA.dot(c71, a, w1)
        k += 4
      }
      store(c00, row, first)
      store(c10, row + 1, first)
      store(c20, row + 2, first)
      store(c30, row + 3, first)
      store(c40, row + 4, first)
      store(c50, row + 5, first)
      store(c60, row + 6, first)
      store(c70, row + 7, first)
      guard second != first else { return }
      store(c01, row, second)
      store(c11, row + 1, second)
      store(c21, row + 2, second)
      store(c31, row + 3, second)
      store(c41, row + 4, second)
      store(c51, row + 5, second)
      store(c61, row + 6, second)
      store(c71, row + 7, second)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rows4(_ row: Int, _ first: Int, _ second: Int) {
      let a0 = rowPointer(row), a1 = rowPointer(row + 1)
      let a2 = rowPointer(row + 2), a3 = rowPointer(row + 3)
      let p = panelPointer(first), q = panelPointer(second)
      var c00 = ISA.zero, c10 = ISA.zero, c20 = ISA.zero, c30 = ISA.zero
      var c01 = ISA.zero, c11 = ISA.zero, c21 = ISA.zero, c31 = ISA.zero
      let bytes = (w.inputs + 3) & ~3
      var k = 0
      while k < bytes {
        let w0 = ISA.loadWeights(p + k * 16), w1 = ISA.loadWeights(q + k * 16)
        var a = ISA.loadActivations(a0 + k)
        c00 = ISA.dot(c00, a, w0)
        c01 = ISA.dot(c01, a, w1)
        a = ISA.loadActivations(a1 + k)
        c10 = ISA.dot(c10, a, w0)
        c11 = ISA.dot(c11, a, w1)
        a = ISA.loadActivations(a2 + k)
        c20 = ISA.dot(c20, a, w0)
        c21 = ISA.dot(c21, a, w1)
        a = ISA.loadActivations(a3 + k)
        c30 = ISA.dot(c30, a, w0)
        c31 = ISA.dot(c31, a, w1)
        k += 4
      }
      store(c00, row, first)
      store(c10, row + 1, first)
      store(c20, row + 2, first)
      store(c30, row + 3, first)
      guard second != first else { return }
      store(c01, row, second)
      store(c11, row + 1, second)
      store(c21, row + 2, second)
      store(c31, row + 3, second)
    }

    @_alwaysEmitIntoClient @inline(__always)
    func rows4(_ row: Int, _ panel: Int) {
      let a0 = rowPointer(row), a1 = rowPointer(row + 1)
      let a2 = rowPointer(row + 2), a3 = rowPointer(row + 3)
      let p = panelPointer(panel)
      var c0 = ISA.zero, c1 = ISA.zero, c2 = ISA.zero, c3 = ISA.zero
      let bytes = (w.inputs + 3) & ~3
      var k = 0
      while k < bytes {
        let quads = ISA.loadWeights(p + k * 16)
        c0 = ISA.dot(c0, ISA.loadActivations(a0 + k), quads)
        c1 = ISA.dot(c1, ISA.loadActivations(a1 + k), quads)
        c2 = ISA.dot(c2, ISA.loadActivations(a2 + k), quads)
        c3 = ISA.dot(c3, ISA.loadActivations(a3 + k), quads)
        k += 4
      }
      store(c0, row, panel)
      store(c1, row + 1, panel)
      store(c2, row + 2, panel)
      store(c3, row + 3, panel)
    }
  }
}
