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
        tile.rows(row, panel, groups, column, activation)
        row += ISA.tileRows
      }
    }
  }
}

extension GenericKernels.Int8Tile {
  @_alwaysEmitIntoClient @inline(__always)
  func rows(
    _ row: Int, _ panel: Int, _ groups: WeightGroups, _ column: PanelColumn,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    let weights = panelPointer(panel)
    let count = groups.count(w.inputs)
    let factors = groups.factors + panel * count * 32
    let groupQuads = groups.length / 4
    let own = ActivationRows(x, first: row, rows: rows)
    withUnsafeTemporaryAllocation(of: SIMD16<Float>.self, capacity: ISA.tileRows) {
      let exact = $0.baseAddress!
      withUnsafeTemporaryAllocation(of: SIMD16<Int32>.self, capacity: ISA.tileRows) {
        let sums = $0.baseAddress!
        for i in 0..<ISA.tileRows { exact[i] = splat(0) }
        for group in 0..<count {
          let first = group * groupQuads
          for i in 0..<ISA.tileRows { sums[i] = SIMD16(repeating: 0) }
          ISA.multiply(
            own.advanced(by: ISA.activationLayout.offset(ofQuad: first)), weights + first * 64,
            min(groupQuads, quads - first), sums)
          let factor = ISA.loadHalf(factors + group * 32)
          for i in 0..<ISA.tileRows {
            exact[i] = ISA.fma(vdsq_to_float(sums[i]), factor, exact[i])
          }
        }
      }
      let sums = load16(groups.sums + panel * 16)
      for i in 0..<min(ISA.tileRows, rows - row) {
        finish(exact: exact[i], row + i, sums, column, activation)
      }
    }
  }

  /// Subtracts the contribution of the zero point: its product with the sums of the weights.
  @_alwaysEmitIntoClient @inline(__always)
  func finish(
    exact: SIMD16<Float>, _ row: Int, _ weightSums: SIMD16<Float>, _ column: PanelColumn,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    let zero = Float(ISA.activationBias &- x.zeroPoints[row])
    finish(ISA.fma(splat(zero), weightSums, exact), row, column, activation)
  }
}
