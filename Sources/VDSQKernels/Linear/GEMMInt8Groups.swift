public import CShims

// u8 x s8 products where each group of columns of a row has its own factor: integer sums within a
// group, float sums over groups.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func gemmU8S8(
    _ tile: Int8Tile, _ groups: WeightGroups, _ panels: Range<Int>,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    for panel in panels {
      let column = PanelColumn(tile.w, panel)
      var row = 0
      while row < tile.rows {
        tile.rows4(row, panel, groups, column, activation)
        row += 4
      }
    }
  }
}

extension GenericKernels.Int8Tile {
  @_alwaysEmitIntoClient @inline(__always)
  func rows4(
    _ row: Int, _ panel: Int, _ groups: WeightGroups, _ column: PanelColumn,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    let a0 = rowPointer(row), a1 = rowPointer(row + 1)
    let a2 = rowPointer(row + 2), a3 = rowPointer(row + 3)
    let weights = panelPointer(panel)
    let count = groups.count(w.inputs)
    let factors = groups.factors + panel * count * 32
    let step = ISA.activationLayout.bytesPerQuad
    let groupQuads = groups.length / 4
    let none = SIMD16<Int32>(repeating: 0)
    var y0 = splat(0), y1 = splat(0), y2 = splat(0), y3 = splat(0)
    for group in 0..<count {
      let first = group * groupQuads
      let at = first * step
      var sums = Lanes4(none, none, none, none)
      ISA.rows4(
        FourRows(a0 + at, a1 + at, a2 + at, a3 + at), weights + first * 64,
        min(groupQuads, quads - first), &sums)
      let factor = ISA.loadHalf(factors + group * 32)
      y0 = ISA.fma(vdsq_to_float(sums.c0), factor, y0)
      y1 = ISA.fma(vdsq_to_float(sums.c1), factor, y1)
      y2 = ISA.fma(vdsq_to_float(sums.c2), factor, y2)
      y3 = ISA.fma(vdsq_to_float(sums.c3), factor, y3)
    }
    let sums = load16(groups.sums + panel * 16)
    finish(exact: y0, row, sums, column, activation)
    finish(exact: y1, row + 1, sums, column, activation)
    finish(exact: y2, row + 2, sums, column, activation)
    finish(exact: y3, row + 3, sums, column, activation)
  }

  /// Subtracts the contribution of the zero point: its product with the sums of the weights.
  @_alwaysEmitIntoClient @inline(__always)
  func finish(
    exact: SIMD16<Float>, _ row: Int, _ weightSums: SIMD16<Float>, _ column: PanelColumn,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    guard row < rows else { return }
    let zero = Float(ISA.activationBias &- x.zeroPoints[row])
    finish(ISA.fma(splat(zero), weightSums, exact), row, column, activation)
  }
}
