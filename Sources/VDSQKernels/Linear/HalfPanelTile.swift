public import CShims

/// Eight rows of a matrix. Each element is multiplied by half a vector; a vector of sums holds the
/// halves of two rows. Rows beyond the last repeat the last row.
@frozen @usableFromInline
struct HalfPanelTile<Element: SIMDScalar> {
  @usableFromInline typealias Lanes = SIMD16<Element>
  @usableFromInline typealias Half = SIMD8<Element>
  /// Rows 0 and 1, 2 and 3, 4 and 5, 6 and 7.
  @usableFromInline typealias Sums = (Lanes, Lanes, Lanes, Lanes)

  @usableFromInline let upper: RowTile<Element>
  @usableFromInline let lower: RowTile<Element>

  @_alwaysEmitIntoClient @inline(__always)
  init(_ x: UnsafePointer<Element>, stride: Int, first: Int, rows: Int) {
    upper = RowTile(x, stride: stride, first: first, rows: rows)
    lower = RowTile(x, stride: stride, first: first + 4, rows: rows)
  }

  /// The products of each row with `load` of each column up to `depth`. Columns are loaded four at
  /// a time, so that an instruction multiplies by one lane of four.
  @_alwaysEmitIntoClient @inline(__always)
  func products(
    _ depth: Int, zero: Lanes, _ load: (Int) -> Half,
    _ multiplyAdd: (Lanes, Lanes, Lanes) -> Lanes
  ) -> Sums {
    var sums = (zero, zero, zero, zero)
    func two(_ x: Element, _ y: Element) -> Lanes {
      Lanes(lowHalf: Half(repeating: x), highHalf: Half(repeating: y))
    }
    func add(
      _ x0: Element, _ x1: Element, _ x2: Element, _ x3: Element, _ x4: Element, _ x5: Element,
      _ x6: Element, _ x7: Element, _ half: Half
    ) {
      let b = Lanes(lowHalf: half, highHalf: half)
      sums.0 = multiplyAdd(two(x0, x1), b, sums.0)
      sums.1 = multiplyAdd(two(x2, x3), b, sums.1)
      sums.2 = multiplyAdd(two(x4, x5), b, sums.2)
      sums.3 = multiplyAdd(two(x6, x7), b, sums.3)
    }
    var k = 0
    while k + 4 <= depth {
      func four(_ p: UnsafePointer<Element>) -> SIMD4<Element> {
        UnsafeRawPointer(p + k).loadUnaligned(as: SIMD4<Element>.self)
      }
      var a = (
        four(upper.a0), four(upper.a1), four(upper.a2), four(upper.a3), four(lower.a0),
        four(lower.a1), four(lower.a2), four(lower.a3), load(k), load(k + 1), load(k + 2),
        load(k + 3)
      )
      withUnsafeMutableBytes(of: &a) { vdsq_loaded($0.baseAddress!) }
      add(a.0[0], a.1[0], a.2[0], a.3[0], a.4[0], a.5[0], a.6[0], a.7[0], a.8)
      add(a.0[1], a.1[1], a.2[1], a.3[1], a.4[1], a.5[1], a.6[1], a.7[1], a.9)
      add(a.0[2], a.1[2], a.2[2], a.3[2], a.4[2], a.5[2], a.6[2], a.7[2], a.10)
      add(a.0[3], a.1[3], a.2[3], a.3[3], a.4[3], a.5[3], a.6[3], a.7[3], a.11)
      k += 4
    }
    while k < depth {
      add(
        upper.a0[k], upper.a1[k], upper.a2[k], upper.a3[k], lower.a0[k], lower.a1[k], lower.a2[k],
        lower.a3[k], load(k))
      k += 1
    }
    return sums
  }

  /// The products of the rows with whole vectors, half after half: rows 0 to 3 and rows 4 to 7.
  @_alwaysEmitIntoClient @inline(__always)
  func products(
    _ depth: Int, zero: Lanes, _ load: (Int) -> Lanes,
    _ multiplyAdd: (Lanes, Lanes, Lanes) -> Lanes
  ) -> (upper: Sums, lower: Sums) {
    let left = products(depth, zero: zero, { load($0).lowHalf }, multiplyAdd)
    let right = products(depth, zero: zero, { load($0).highHalf }, multiplyAdd)
    func even(_ l: Lanes, _ r: Lanes) -> Lanes { Lanes(lowHalf: l.lowHalf, highHalf: r.lowHalf) }
    func odd(_ l: Lanes, _ r: Lanes) -> Lanes { Lanes(lowHalf: l.highHalf, highHalf: r.highHalf) }
    return (
      (even(left.0, right.0), odd(left.0, right.0), even(left.1, right.1), odd(left.1, right.1)),
      (even(left.2, right.2), odd(left.2, right.2), even(left.3, right.3), odd(left.3, right.3))
    )
  }
}
