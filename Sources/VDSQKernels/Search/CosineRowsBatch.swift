public import CShims

// Several queries at once, in register tiles of four rows by two or four queries.

extension GenericKernels {
  /// Keeps the best cosines for several queries. Each row is read from memory once for all of them.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosineTopKBatch(
    _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ range: Range<Int>,
    _ best: UnsafeMutablePointer<TopK>
  ) {
    forEachCosines(queries, count, m, range) { q, row, end, cosines in
      offer(cosines, row, end, &best[q])
    }
  }

  /// Writes the cosines of several queries to each row of a range, `[count, stride]`. `out` starts
  /// at the first row of the range.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosines(
    _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ range: Range<Int>,
    _ out: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    forEachCosines(queries, count, m, range) { q, row, end, cosines in
      store16(cosines, out + q * stride + (row - range.lowerBound), count: end - row)
    }
  }

  /// Calls `body` with the cosines of a query to the rows from `row` on, sixteen at a time, of
  /// which those before `end` count.
  @_alwaysEmitIntoClient @inline(__always)
  static func forEachCosines(
    _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ range: Range<Int>,
    _ body: (_ query: Int, _ row: Int, _ end: Int, _ cosines: SIMD16<Float>) -> Void
  ) {
    // A block of rows stays in the cache while all queries pass over it.
    let blockRows = max(16, (128 << 10) / max(1, m.columns) / 16 * 16)
    var block = range.lowerBound
    while block < range.upperBound {
      let end = min(block + blockRows, range.upperBound)
      var q = 0
      while q < count {
        if ISA.queryTile == .queries4, count - q > 2 {
          let width = min(4, count - q)
          // The first queries prefetch the rows of the next block while they scan this one.
          let ahead = q == 0 ? (end - block) * m.columns : 0
          tiles(queries + q, width, m, block..<end) { row, dots in
            tile4(queries + q, width, m, row, end, ahead, dots)
          } body: { body(q + $0, $1, end, $2) }
          q += width
        } else if count - q > 1 {
          tiles(queries + q, 2, m, block..<end) { row, dots in
            tile2(queries + q, m, row, end, dots)
          } body: { body(q + $0, $1, end, $2) }
          q += 2
        } else {
          var row = block
          while row < end {
            body(q, row, end, cosines16(queries[q], m, row, end))
            row += 16
          }
          q += 1
        }
      }
      block = end
    }
  }

  /// Processes sixteen rows at a time. `tile` writes the products of four rows with each query,
  /// sixteen elements apart.
  @_alwaysEmitIntoClient @inline(__always)
  static func tiles(
    _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ range: Range<Int>,
    _ tile: (_ row: Int, _ dots: UnsafeMutablePointer<SIMD4<Int32>>) -> Void,
    body: (_ query: Int, _ row: Int, _ cosines: SIMD16<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: SIMD16<Int32>.self, capacity: 4) { scratch in
      let lanes = scratch.baseAddress!
      let dots = UnsafeMutableRawPointer(lanes).assumingMemoryBound(to: SIMD4<Int32>.self)
      var row = range.lowerBound
      while row < range.upperBound {
        for group in 0..<4 { tile(row + group * 4, dots + group) }
        for q in 0..<count {
          body(q, row, normalized(lanes[q], queries[q], m, row, range.upperBound))
        }
        row += 16
      }
    }
  }

  /// Four rows by four queries. Queries beyond the last repeat the last one.
  @_alwaysEmitIntoClient @inline(__always)
  static func tile4(
    _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ row: Int, _ end: Int,
    _ ahead: Int, _ dots: UnsafeMutablePointer<SIMD4<Int32>>
  ) {
    let last = end - 1
    let r0 = min(row, last), r1 = min(row + 1, last), r2 = min(row + 2, last)
    let r3 = min(row + 3, last)
    guard fits(m, r3) else {
      for q in 0..<count { dots[q * 4] = dots4(queries[q], m, r0, r1, r2, r3) }
      return
    }
    let p0 = pointer(m, r0), p1 = pointer(m, r1), p2 = pointer(m, r2), p3 = pointer(m, r3)
    let q0 = UnsafeRawPointer(queries[0].values)
    let q1 = UnsafeRawPointer(queries[min(1, count - 1)].values)
    let q2 = UnsafeRawPointer(queries[min(2, count - 1)].values)
    let q3 = UnsafeRawPointer(queries[min(3, count - 1)].values)
    var a0 = ISA.noSums, a1 = ISA.noSums, a2 = ISA.noSums, a3 = ISA.noSums
    var b0 = ISA.noSums, b1 = ISA.noSums, b2 = ISA.noSums, b3 = ISA.noSums
    var c0 = ISA.noSums, c1 = ISA.noSums, c2 = ISA.noSums, c3 = ISA.noSums
    var d0 = ISA.noSums, d1 = ISA.noSums, d2 = ISA.noSums, d3 = ISA.noSums
    var next = p0 + ahead
    var k = 0
    while k < m.columns {
      if ahead > 0 {
        // In memory order: one cache line is prefetched for each line that is multiplied.
        for line in 0..<max(1, ISA.rowChunkLength / 16) { vdsq_prefetch_later(next + line * 64) }
        next += 4 * ISA.rowChunkLength
      }
      let w0 = ISA.loadRow(p0 + k), w1 = ISA.loadRow(p1 + k)
      let w2 = ISA.loadRow(p2 + k), w3 = ISA.loadRow(p3 + k)
      var x = ISA.loadQuery(q0 + k)
      a0 = ISA.dotRow(a0, w0, x)
      a1 = ISA.dotRow(a1, w1, x)
      a2 = ISA.dotRow(a2, w2, x)
      a3 = ISA.dotRow(a3, w3, x)
      x = ISA.loadQuery(q1 + k)
      b0 = ISA.dotRow(b0, w0, x)
      b1 = ISA.dotRow(b1, w1, x)
      b2 = ISA.dotRow(b2, w2, x)
      b3 = ISA.dotRow(b3, w3, x)
      x = ISA.loadQuery(q2 + k)
      c0 = ISA.dotRow(c0, w0, x)
      c1 = ISA.dotRow(c1, w1, x)
      c2 = ISA.dotRow(c2, w2, x)
      c3 = ISA.dotRow(c3, w3, x)
      x = ISA.loadQuery(q3 + k)
      d0 = ISA.dotRow(d0, w0, x)
      d1 = ISA.dotRow(d1, w1, x)
      d2 = ISA.dotRow(d2, w2, x)
      d3 = ISA.dotRow(d3, w3, x)
      k += ISA.rowChunkLength
    }
    func bias(_ q: Int) -> SIMD4<Int32> {
      SIMD4(repeating: ISA.rowBias &* queries[min(q, count - 1)].sum)
    }
    dots[0] = ISA.totals(a0, a1, a2, a3) &- bias(0)
    dots[4] = ISA.totals(b0, b1, b2, b3) &- bias(1)
    dots[8] = ISA.totals(c0, c1, c2, c3) &- bias(2)
    dots[12] = ISA.totals(d0, d1, d2, d3) &- bias(3)
  }

  /// Four rows by two queries.
  @_alwaysEmitIntoClient @inline(__always)
  static func tile2(
    _ queries: UnsafePointer<Int8Query>, _ m: Int8Rows, _ row: Int, _ end: Int,
    _ dots: UnsafeMutablePointer<SIMD4<Int32>>
  ) {
    let last = end - 1
    let r0 = min(row, last), r1 = min(row + 1, last), r2 = min(row + 2, last)
    let r3 = min(row + 3, last)
    guard fits(m, r3) else {
      for q in 0..<2 { dots[q * 4] = dots4(queries[q], m, r0, r1, r2, r3) }
      return
    }
    let p0 = pointer(m, r0), p1 = pointer(m, r1), p2 = pointer(m, r2), p3 = pointer(m, r3)
    let q0 = UnsafeRawPointer(queries[0].values), q1 = UnsafeRawPointer(queries[1].values)
    var a0 = ISA.noSums, a1 = ISA.noSums, a2 = ISA.noSums, a3 = ISA.noSums
    var b0 = ISA.noSums, b1 = ISA.noSums, b2 = ISA.noSums, b3 = ISA.noSums
    var k = 0
    while k < m.columns {
      let x = ISA.loadQuery(q0 + k), y = ISA.loadQuery(q1 + k)
      let w0 = ISA.loadRow(p0 + k)
      a0 = ISA.dotRow(a0, w0, x)
      b0 = ISA.dotRow(b0, w0, y)
      let w1 = ISA.loadRow(p1 + k)
      a1 = ISA.dotRow(a1, w1, x)
      b1 = ISA.dotRow(b1, w1, y)
      let w2 = ISA.loadRow(p2 + k)
      a2 = ISA.dotRow(a2, w2, x)
      b2 = ISA.dotRow(b2, w2, y)
      let w3 = ISA.loadRow(p3 + k)
      a3 = ISA.dotRow(a3, w3, x)
      b3 = ISA.dotRow(b3, w3, y)
      k += ISA.rowChunkLength
    }
    dots[0] =
      ISA.totals(a0, a1, a2, a3) &- SIMD4(repeating: ISA.rowBias &* queries[0].sum)
    dots[4] =
      ISA.totals(b0, b1, b2, b3) &- SIMD4(repeating: ISA.rowBias &* queries[1].sum)
  }
}
