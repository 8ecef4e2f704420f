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
      offer(cosines16(query, m, row, range.upperBound), row, range.upperBound, &best)
      row += 16
    }
  }

  /// Puts the cosines of the rows from `row` to `end`, sixteen at most, forward to the best.
  @_alwaysEmitIntoClient @inline(__always)
  static func offer(_ cosines: SIMD16<Float>, _ row: Int, _ end: Int, _ best: inout TopK) {
    // An equal score may still win by its id, where ranges come out of order.
    let found = cosines .>= splat(best.threshold)
    guard any(found) else { return }
    for i in 0..<min(16, end - row) where found[i] {
      best.insert(cosines[i], Int32(truncatingIfNeeded: row + i))
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
    // One row after another, in the order in which they lie: the CPU sees that and reads ahead better
    // than any prefetch that could be written here.
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
