public import CShims

// u8 x s8 products where each group of columns of a row has its own factor: integer sums within a
// group, float sums over groups. Weights of four bits are unpacked to int8 group by group.

extension GenericKernels {
  @_alwaysEmitIntoClient @inline(__always)
  static func gemmU8S8(
    _ tile: Int8Tile, _ groups: WeightGroups, _ panels: Range<Int>,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    for panel in panels {
      let column = PanelColumn(tile.w, panel)
      if tile.rows == 1 {
        tile.row1(panel, groups, column, activation)
        continue
      }
      var row = 0
      while row < tile.rows {
        tile.rows(row, panel, groups, column, activation)
        row += Int8Tile.groupedRows
      }
    }
  }
}

extension GenericKernels.Int8Tile {
  /// The number of rows that share a group's weights, a multiple of every `tileRows`. Their sums
  /// take 1,024 bytes.
  @_alwaysEmitIntoClient @inline(__always)
  static var groupedRows: Int { 16 }

  @_alwaysEmitIntoClient @inline(__always)
  func rows(
    _ row: Int, _ panel: Int, _ groups: WeightGroups, _ column: PanelColumn,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    let factors = groups.factors + panel * groups.count(w.inputs) * 32
    let count = min(Self.groupedRows, rows - row)
    withUnsafeTemporaryAllocation(of: SIMD16<Float>.self, capacity: Self.groupedRows) {
      let exact = $0.baseAddress!
      for i in 0..<Self.groupedRows { exact[i] = SIMD16(repeating: 0) }
      withUnsafeTemporaryAllocation(of: SIMD16<Int32>.self, capacity: ISA.tileRows) {
        let sums = $0.baseAddress!
        for group in 0..<groups.count(w.inputs) {
          let factor = ISA.loadHalf(factors + group * 32)
          let at = ISA.activationLayout.offset(ofQuad: group * groups.length / 4)
          GenericKernels.withGroup(w, groups, panel: panel, group: group) { weights, quads in
            var tile = 0
            while tile < count {
              for i in 0..<ISA.tileRows { sums[i] = SIMD16(repeating: 0) }
              let own = ActivationRows(x, first: row + tile, rows: rows)
              ISA.multiply(own.advanced(by: at), weights, quads, sums)
              for i in 0..<ISA.tileRows {
                exact[tile + i] = ISA.fma(vdsq_to_float(sums[i]), factor, exact[tile + i])
              }
              tile += ISA.tileRows
            }
          }
        }
      }
      let sums = load16(groups.sums + panel * 16)
      for i in 0..<count { finish(exact: exact[i], row + i, sums, column, activation) }
    }
  }

  /// The only row, whose weights are read once.
  @_alwaysEmitIntoClient @inline(__always)
  func row1(
    _ panel: Int, _ groups: WeightGroups, _ column: PanelColumn,
    _ activation: (SIMD16<Float>) -> SIMD16<Float>
  ) {
    let a = UnsafeRawPointer(x.values) + ISA.activationLayout.offset(ofRow: 0, stride: x.stride)
    let factors = groups.factors + panel * groups.count(w.inputs) * 32
    let zero = SIMD16<Int32>(repeating: 0)
    var exact = SIMD16<Float>(repeating: 0)
    for group in 0..<groups.count(w.inputs) {
      let first = group * groups.length / 4
      let end = min(first + groups.length / 4, quads)
      var even = ISA.accumulator(zero), odd = ISA.accumulator(zero)
      func dot(
        _ sums: ISA.Accumulator, _ quad: Int, _ weights: UnsafeRawPointer
      ) -> ISA.Accumulator {
        ISA.dot(
          sums, ISA.loadActivations(a + ISA.activationLayout.offset(ofQuad: quad)),
          ISA.loadWeights(weights))
      }
      var quad = first
      if w.element == .int4, let zeroPoints = groups.zeroPoints {
        // Unpacked weights stay in registers.
        let unpacker = FourBitUnpacker(
          zeroPoints: zeroPoints + (panel * groups.count(w.inputs) + group) * 16)
        while quad < end {
          let pair = unpacker.quads(panelPointer(panel) + quad * 32)
          even = withUnsafePointer(to: pair.first) { dot(even, quad, UnsafeRawPointer($0)) }
          odd = withUnsafePointer(to: pair.second) { dot(odd, quad + 1, UnsafeRawPointer($0)) }
          quad += 2
        }
      } else {
        let weights = panelPointer(panel)
        while quad + 2 <= end {
          even = dot(even, quad, weights + quad * 64)
          odd = dot(odd, quad + 1, weights + quad * 64 + 64)
          quad += 2
        }
        if quad < end { even = dot(even, quad, weights + quad * 64) }
      }
      let sums = ISA.lanes(even) &+ ISA.lanes(odd)
      exact = ISA.fma(vdsq_to_float(sums), ISA.loadHalf(factors + group * 32), exact)
    }
    finish(exact: exact, 0, load16(groups.sums + panel * 16), column, activation)
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
