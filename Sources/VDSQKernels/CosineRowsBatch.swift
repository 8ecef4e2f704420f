import CShims

// Register tiles of four rows by several queries.

extension GenericKernels {
  /// Four rows by four queries; queries past the last are the last again.
  @_alwaysEmitIntoClient @inline(__always)
  static func tile4(
    _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ range: Range<Int>,
    _ best: UnsafeMutablePointer<TopK>
  ) {
    let q0 = UnsafeRawPointer(queries[0].values)
    let q1 = UnsafeRawPointer(queries[min(1, count - 1)].values)
    let q2 = UnsafeRawPointer(queries[min(2, count - 1)].values)
    let q3 = UnsafeRawPointer(queries[min(3, count - 1)].values)
    var row = range.lowerBound
    while row < range.upperBound {
      let last = range.upperBound - 1
      let r1 = min(row + 1, last), r2 = min(row + 2, last), r3 = min(row + 3, last)
      guard fits(m, r3) else {
        for q in 0..<count { plain4(queries[q], m, row, range.upperBound, &best[q]) }
        row += 4
        continue
      }
      let p0 = pointer(m, row), p1 = pointer(m, r1), p2 = pointer(m, r2), p3 = pointer(m, r3)
      var a0 = ISA.noSums, a1 = ISA.noSums, a2 = ISA.noSums, a3 = ISA.noSums
      var b0 = ISA.noSums, b1 = ISA.noSums, b2 = ISA.noSums, b3 = ISA.noSums
      var c0 = ISA.noSums, c1 = ISA.noSums, c2 = ISA.noSums, c3 = ISA.noSums
      var d0 = ISA.noSums, d1 = ISA.noSums, d2 = ISA.noSums, d3 = ISA.noSums
      var k = 0
      while k < m.columns {
        let w0 = ISA.loadRow(p0 + k), w1 = ISA.loadRow(p1 + k)
        let w2 = ISA.loadRow(p2 + k), w3 = ISA.loadRow(p3 + k)
        vdsq_prefetch(p0 + k + prefetchDistance)
        vdsq_prefetch(p1 + k + prefetchDistance)
        vdsq_prefetch(p2 + k + prefetchDistance)
        vdsq_prefetch(p3 + k + prefetchDistance)
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
      let left = range.upperBound - row
      offer(ISA.totals(a0, a1, a2, a3), queries[0], m, row, left, &best[0])
      if count > 1 { offer(ISA.totals(b0, b1, b2, b3), queries[1], m, row, left, &best[1]) }
      if count > 2 { offer(ISA.totals(c0, c1, c2, c3), queries[2], m, row, left, &best[2]) }
      if count > 3 { offer(ISA.totals(d0, d1, d2, d3), queries[3], m, row, left, &best[3]) }
      row += 4
    }
  }

  /// Four rows by two queries.
  @_alwaysEmitIntoClient @inline(__always)
  static func tile2(
    _ queries: UnsafePointer<Int8Query>, _ m: Int8Rows, _ range: Range<Int>,
    _ best: UnsafeMutablePointer<TopK>
  ) {
    let q0 = UnsafeRawPointer(queries[0].values), q1 = UnsafeRawPointer(queries[1].values)
    var row = range.lowerBound
    while row < range.upperBound {
      let last = range.upperBound - 1
      let r1 = min(row + 1, last), r2 = min(row + 2, last), r3 = min(row + 3, last)
      guard fits(m, r3) else {
        for q in 0..<2 { plain4(queries[q], m, row, range.upperBound, &best[q]) }
        row += 4
        continue
      }
      let p0 = pointer(m, row), p1 = pointer(m, r1), p2 = pointer(m, r2), p3 = pointer(m, r3)
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
      let left = range.upperBound - row
      offer(ISA.totals(a0, a1, a2, a3), queries[0], m, row, left, &best[0])
      offer(ISA.totals(b0, b1, b2, b3), queries[1], m, row, left, &best[1])
      row += 4
    }
  }

  /// Puts four sums that still have the row's bias forward to a query's best.
  @_alwaysEmitIntoClient @inline(__always)
  static func offer(
    _ sums: SIMD4<Int32>, _ query: Int8Query, _ m: Int8Rows, _ row: Int, _ left: Int,
    _ best: inout TopK
  ) {
    let dots = sums &- SIMD4(repeating: ISA.rowBias &* query.sum)
    for i in 0..<min(4, left) {
      let cosine = Float(dots[i]) * m.reciprocalNorms[row + i] * query.reciprocalNorm
      if cosine >= best.threshold { best.insert(cosine, Int32(truncatingIfNeeded: row + i)) }
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func plain4(
    _ query: Int8Query, _ m: Int8Rows, _ row: Int, _ end: Int, _ best: inout TopK
  ) {
    for r in row..<min(row + 4, end) {
      let cosine =
        Float(plainDot(query, m, r)) * m.reciprocalNorms[r] * query.reciprocalNorm
      if cosine >= best.threshold { best.insert(cosine, Int32(truncatingIfNeeded: r)) }
    }
  }
}
