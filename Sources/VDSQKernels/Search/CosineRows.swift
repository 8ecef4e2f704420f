public import CShims

// Products of int8 rows and int8 queries, fused with the normalization of the cosine and a running
// top-k, so that the logits of a vocabulary are never all in memory.

extension GenericKernels {
  /// Keeps the best cosines of `query` to the rows of a range.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosineTopK(
    _ query: Int8Query, _ m: Int8Rows, _ range: Range<Int>, _ best: inout TopK
  ) {
    var row = range.lowerBound
    while row < range.upperBound {
      offer(cosines16(query, m, row, range.upperBound), row, range.upperBound, &best)
      row += 16
    }
  }

  /// Inserts the cosines of the rows from `row` to `end`, at most sixteen, if they are among the
  /// best.
  @_alwaysEmitIntoClient @inline(__always)
  static func offer(_ cosines: SIMD16<Float>, _ row: Int, _ end: Int, _ best: inout TopK) {
    // An equal score may still win by its id if ranges come out of order.
    let threshold = best.threshold
    guard vdsq_any_at_least(cosines, threshold) else { return }
    for i in 0..<min(16, end - row) where cosines[i] >= threshold {
      best.insert(cosines[i], Int32(truncatingIfNeeded: row + i))
    }
  }

  /// Keeps the best cosines among single rows, given by their ids: the candidates of a first pass.
  @_alwaysEmitIntoClient @inline(__always)
  static func cosineTopK(
    _ query: Int8Query, _ m: Int8Rows, candidates: UnsafePointer<Int32>, _ count: Int,
    _ best: inout TopK
  ) {
    var i = 0
    while i < count {
      func id(_ j: Int) -> Int { Int(candidates[min(i + j, count - 1)]) }
      // The rows are scattered, so the next ones are prefetched while these are multiplied.
      for j in 8..<12 where i + j < count {
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

  /// The cosines of sixteen rows from `row` on. Lanes from `end` on repeat another row.
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
    return normalized(dots, query, m, row, end)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func normalized(
    _ dots: SIMD16<Int32>, _ query: Int8Query, _ m: Int8Rows, _ row: Int, _ end: Int
  ) -> SIMD16<Float> {
    let norms = load16(m.reciprocalNorms + row, count: end - row)
    return vdsq_to_float(dots) * norms * splat(query.reciprocalNorm)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func dots4(
    _ query: Int8Query, _ m: Int8Rows, _ r0: Int, _ r1: Int, _ r2: Int, _ r3: Int
  ) -> SIMD4<Int32> {
    guard fits(m, max(max(r0, r1), max(r2, r3))) else {
      return SIMD4(
        plainDot(query, m, r0), plainDot(query, m, r1), plainDot(query, m, r2),
        plainDot(query, m, r3))
    }
    // Rows are read one after another in memory order: the hardware prefetcher follows that better
    // than any explicit prefetch.
    let s0 = rowSums(query, m, r0), s1 = rowSums(query, m, r1)
    let s2 = rowSums(query, m, r2), s3 = rowSums(query, m, r3)
    return ISA.totals(s0, s1, s2, s3) &- SIMD4(repeating: ISA.rowBias &* query.sum)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func rowSums(_ query: Int8Query, _ m: Int8Rows, _ row: Int) -> ISA.RowSums {
    let p = pointer(m, row)
    let q = UnsafeRawPointer(query.values)
    let step = ISA.rowChunkLength
    var even = ISA.noSums, odd = ISA.noSums
    var k = 0
    while k + step < m.columns {
      even = ISA.dotRow(even, ISA.loadRow(p + k), ISA.loadQuery(q + k))
      odd = ISA.dotRow(odd, ISA.loadRow(p + k + step), ISA.loadQuery(q + k + step))
      k += 2 * step
    }
    if k < m.columns {
      even = ISA.dotRow(even, ISA.loadRow(p + k), ISA.loadQuery(q + k))
    }
    return ISA.add(even, odd)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func pointer(_ m: Int8Rows, _ row: Int) -> UnsafeRawPointer {
    UnsafeRawPointer(m.values + row * m.columns)
  }

  /// Whether whole chunks of a row lie inside the matrix. Elements of the next row are multiplied
  /// by the query's zero padding, but nothing may be read behind the last row.
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
