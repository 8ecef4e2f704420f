public import CShims

/// Sixteen vectors that stay in registers during a transposition.
@frozen @usableFromInline
struct Block16 {
  @usableFromInline var r0, r1, r2, r3, r4, r5, r6, r7: SIMD16<Float>
  @usableFromInline var r8, r9, r10, r11, r12, r13, r14, r15: SIMD16<Float>

  @_alwaysEmitIntoClient @inline(__always)
  init(_ row: (Int) -> SIMD16<Float>) {
    (r0, r1, r2, r3) = (row(0), row(1), row(2), row(3))
    (r4, r5, r6, r7) = (row(4), row(5), row(6), row(7))
    (r8, r9, r10, r11) = (row(8), row(9), row(10), row(11))
    (r12, r13, r14, r15) = (row(12), row(13), row(14), row(15))
  }

  /// Row i moves to rows 2i and 2i + 1, interleaved with row i + 8. Four such shuffles transpose
  /// the matrix.
  @_alwaysEmitIntoClient @inline(__always)
  mutating func shuffle() {
    let a = self
    (r0, r1) = (vdsq_zip_low(a.r0, a.r8), vdsq_zip_high(a.r0, a.r8))
    (r2, r3) = (vdsq_zip_low(a.r1, a.r9), vdsq_zip_high(a.r1, a.r9))
    (r4, r5) = (vdsq_zip_low(a.r2, a.r10), vdsq_zip_high(a.r2, a.r10))
    (r6, r7) = (vdsq_zip_low(a.r3, a.r11), vdsq_zip_high(a.r3, a.r11))
    (r8, r9) = (vdsq_zip_low(a.r4, a.r12), vdsq_zip_high(a.r4, a.r12))
    (r10, r11) = (vdsq_zip_low(a.r5, a.r13), vdsq_zip_high(a.r5, a.r13))
    (r12, r13) = (vdsq_zip_low(a.r6, a.r14), vdsq_zip_high(a.r6, a.r14))
    (r14, r15) = (vdsq_zip_low(a.r7, a.r15), vdsq_zip_high(a.r7, a.r15))
  }

  @_alwaysEmitIntoClient @inline(__always)
  mutating func transpose() {
    shuffle()
    shuffle()
    shuffle()
    shuffle()
  }

  @_alwaysEmitIntoClient @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>, _ stride: Int) {
    store16(r0, p)
    store16(r1, p + stride)
    store16(r2, p + 2 * stride)
    store16(r3, p + 3 * stride)
    store16(r4, p + 4 * stride)
    store16(r5, p + 5 * stride)
    store16(r6, p + 6 * stride)
    store16(r7, p + 7 * stride)
    store16(r8, p + 8 * stride)
    store16(r9, p + 9 * stride)
    store16(r10, p + 10 * stride)
    store16(r11, p + 11 * stride)
    store16(r12, p + 12 * stride)
    store16(r13, p + 13 * stride)
    store16(r14, p + 14 * stride)
    store16(r15, p + 15 * stride)
  }
}
