import CShims

// int8 rows by int8 queries, fused with the cosine's normalization and a running top-k: a vocabulary's
// logits are never all in memory.

extension GenericKernels {
  /// Keeps the best cosines of `query` to the rows of a range.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosineTopK(
    _ query: Int8Query, _ m: Int8Rows, _ range: Range<Int>, _ best: inout TopK
  ) {
    var row = range.lowerBound
    while row < range.upperBound {
      let cosines = cosines16(query, m, row, range.upperBound)
      // An equal score may still win by its id, where ranges come out of order.
      let found = cosines .>= splat(best.threshold)
      if any(found) {
        for i in 0..<min(16, range.upperBound - row) where found[i] {
          best.insert(cosines[i], Int32(truncatingIfNeeded: row + i))
        }
      }
      row += 16
    }
  }

  /// Every cosine of `query` to the rows of a range, into `out`, which starts at the range's first.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosines(
    _ query: Int8Query, _ m: Int8Rows, _ range: Range<Int>, _ out: UnsafeMutablePointer<Float>
  ) {
    var row = range.lowerBound
    while row < range.upperBound {
      let cosines = cosines16(query, m, row, range.upperBound)
      store16(cosines, out + (row - range.lowerBound), count: range.upperBound - row)
      row += 16
    }
  }

  /// The cosines of single rows, named by their ids: candidates of a first pass.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosineTopK(
    _ query: Int8Query, _ m: Int8Rows, candidates: UnsafePointer<Int32>, _ count: Int,
    _ best: inout TopK
  ) {
    var i = 0
    while i < count {
      func id(_ j: Int) -> Int { Int(candidates[min(i + j, count - 1)]) }
      // Their rows are scattered: ask for the next ones while these are multiplied.
      for j in 4..<8 where i + j < count {
        let next = UnsafeRawPointer(m.values + Int(candidates[i + j]) * m.columns)
        var at = 0
        while at < m.columns {
          vdsq_prefetch(next + at)
          at += 64
        }
      }
      let dots = dots4(query, m, id(0), id(1), id(2), id(3))
      for j in 0..<min(4, count - i) {
        let cosine = Float(dots[j]) * m.reciprocalNorms[id(j)] * query.reciprocalNorm
        if cosine >= best.threshold { best.insert(cosine, candidates[i + j]) }
      }
      i += 4
    }
  }

  /// Several queries at once: each row comes from memory once for all of them.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosineTopKBatch(
    _ queries: UnsafePointer<Int8Query>, _ count: Int, _ m: Int8Rows, _ range: Range<Int>,
    _ best: UnsafeMutablePointer<TopK>
  ) {
    // A block of rows stays in the cache while all queries pass over it.
    let blockRows = max(16, (64 << 10) / max(1, m.columns) / 16 * 16)
    var block = range.lowerBound
    while block < range.upperBound {
      let end = min(block + blockRows, range.upperBound)
      var q = 0
      while q < count {
        switch ISA.queryTile {
        case .queries4 where count - q >= 3:
          tile4(queries + q, min(4, count - q), m, block..<end, best + q)
          q += 4
        default:
          if count - q >= 2 {
            tile2(queries + q, m, block..<end, best + q)
          } else {
            cosineTopK(queries[q], m, block..<end, &best[q])
          }
          q += 2
        }
      }
      block = end
    }
  }

  /// The cosines of sixteen rows from `row` on; those from `end` on are another row's.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosines16(
    _ query: Int8Query, _ m: Int8Rows, _ row: Int, _ end: Int
  ) -> SIMD16<Float> {
    let last = end - 1
    func group(_ i: Int) -> SIMD4<Int32> {
      let r = row + i
      return dots4(query, m, min(r, last), min(r + 1, last), min(r + 2, last), min(r + 3, last))
    }
    let a = group(0), b = group(4), c = group(8), d = group(12)
    let dots = SIMD16(
      lowHalf: SIMD8(lowHalf: a, highHalf: b), highHalf: SIMD8(lowHalf: c, highHalf: d))
    let norms = load16(m.reciprocalNorms + row, count: end - row)
    return vdsq_to_float(dots) * norms * splat(query.reciprocalNorm)
  }

  /// Bytes between what is multiplied and what is asked for, as far ahead as memory is slow.
  @_alwaysEmitIntoClient @inline(__always)
  static var prefetchDistance: Int { 4096 }

  @_alwaysEmitIntoClient @inline(__always)
  static func dots4(
    _ query: Int8Query, _ m: Int8Rows, _ r0: Int, _ r1: Int, _ r2: Int, _ r3: Int
  ) -> SIMD4<Int32> {
    guard fits(m, max(max(r0, r1), max(r2, r3))) else {
      return SIMD4(
        plainDot(query, m, r0), plainDot(query, m, r1), plainDot(query, m, r2),
        plainDot(query, m, r3))
    }
    let p0 = pointer(m, r0), p1 = pointer(m, r1), p2 = pointer(m, r2), p3 = pointer(m, r3)
    let q = UnsafeRawPointer(query.values)
    var s0 = ISA.noSums, s1 = ISA.noSums, s2 = ISA.noSums, s3 = ISA.noSums
    var k = 0
    while k < m.columns {
      let chunk = ISA.loadQuery(q + k)
      vdsq_prefetch(p0 + k + prefetchDistance)
      s0 = ISA.dotRow(s0, ISA.loadRow(p0 + k), chunk)
      vdsq_prefetch(p1 + k + prefetchDistance)
      s1 = ISA.dotRow(s1, ISA.loadRow(p1 + k), chunk)
      vdsq_prefetch(p2 + k + prefetchDistance)
      s2 = ISA.dotRow(s2, ISA.loadRow(p2 + k), chunk)
      vdsq_prefetch(p3 + k + prefetchDistance)
      s3 = ISA.dotRow(s3, ISA.loadRow(p3 + k), chunk)
      k += ISA.rowChunkLength
    }
    return ISA.totals(s0, s1, s2, s3) &- SIMD4(repeating: ISA.rowBias &* query.sum)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func pointer(_ m: Int8Rows, _ row: Int) -> UnsafeRawPointer {
    UnsafeRawPointer(m.values + row * m.columns)
  }

  /// Whether whole chunks of a row lie in the matrix: what they hold of the next row meets the
  /// query's zeros, but behind the last row there is nothing to read.
  @_alwaysEmitIntoClient @inline(__always)
  static func fits(_ m: Int8Rows, _ row: Int) -> Bool {
    let padded = (m.columns + ISA.rowChunkLength - 1) / ISA.rowChunkLength * ISA.rowChunkLength
    return row * m.columns + padded <= m.rows * m.columns
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func plainDot(_ query: Int8Query, _ m: Int8Rows, _ row: Int) -> Int32 {
    let values = m.values + row * m.columns
    var sum: Int32 = 0
    for k in 0..<m.columns { sum &+= Int32(values[k]) &* Int32(query.values[k]) }
    return sum
  }
}
