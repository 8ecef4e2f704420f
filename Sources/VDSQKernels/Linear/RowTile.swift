/// Four rows of a matrix. Each element is multiplied by a vector of sixteen. Rows beyond the last
/// repeat the last row.
@frozen @usableFromInline
struct RowTile<Element: SIMDScalar> {
  @usableFromInline typealias Lanes = SIMD16<Element>
  @usableFromInline typealias Sums = (Lanes, Lanes, Lanes, Lanes)

  @usableFromInline let a0: UnsafePointer<Element>
  @usableFromInline let a1: UnsafePointer<Element>
  @usableFromInline let a2: UnsafePointer<Element>
  @usableFromInline let a3: UnsafePointer<Element>

  @_alwaysEmitIntoClient @inline(__always)
  init(_ x: UnsafePointer<Element>, stride: Int, first: Int, rows: Int) {
    a0 = x + min(first, rows - 1) * stride
    a1 = x + min(first + 1, rows - 1) * stride
    a2 = x + min(first + 2, rows - 1) * stride
    a3 = x + min(first + 3, rows - 1) * stride
  }

  /// Adds the product of each row's element in column k with `b` to the sum of the row.
  @_alwaysEmitIntoClient @inline(__always)
  func accumulate(
    _ sums: inout Sums, _ k: Int, _ b: Lanes, _ multiplyAdd: (Lanes, Lanes, Lanes) -> Lanes
  ) {
    sums.0 = multiplyAdd(Lanes(repeating: a0[k]), b, sums.0)
    sums.1 = multiplyAdd(Lanes(repeating: a1[k]), b, sums.1)
    sums.2 = multiplyAdd(Lanes(repeating: a2[k]), b, sums.2)
    sums.3 = multiplyAdd(Lanes(repeating: a3[k]), b, sums.3)
  }

  /// The same with two vectors, so that each element is broadcast once.
  @_alwaysEmitIntoClient @inline(__always)
  func accumulate(
    _ low: inout Sums, _ high: inout Sums, _ k: Int, _ b0: Lanes, _ b1: Lanes,
    _ multiplyAdd: (Lanes, Lanes, Lanes) -> Lanes
  ) {
    let v0 = Lanes(repeating: a0[k]), v1 = Lanes(repeating: a1[k])
    let v2 = Lanes(repeating: a2[k]), v3 = Lanes(repeating: a3[k])
    low.0 = multiplyAdd(v0, b0, low.0)
    high.0 = multiplyAdd(v0, b1, high.0)
    low.1 = multiplyAdd(v1, b0, low.1)
    high.1 = multiplyAdd(v1, b1, high.1)
    low.2 = multiplyAdd(v2, b0, low.2)
    high.2 = multiplyAdd(v2, b1, high.2)
    low.3 = multiplyAdd(v3, b0, low.3)
    high.3 = multiplyAdd(v3, b1, high.3)
  }
}
