public import CShims

/// Rows with two bits per dimension. A first pass over them finds candidates among the int8 rows
/// with a quarter of the memory traffic (docs/format.md, "Coarse rows").
public struct CoarseRows {
  /// Rows in a block.
  public static let blockRows = 64
  /// The values of the four codes, in units of a row's standard deviation: the levels of the best
  /// four-level quantizer of a normal variable (Max 1960).
  public static var levels: (Float, Float, Float, Float) { (-1.510, -0.4528, 0.4528, 1.510) }

  /// `[rows / 64][columns / 4][64]`: byte 2i belongs to row i of the block, byte 2i + 1 to row 32 +
  /// i. Each column has two bits, the first column the lowest ones.
  public let codes: UnsafeRawPointer
  /// The factor that makes the product with a row's codes an estimate of its cosine, up to a factor
  /// of the query. One element per row, padded to whole blocks.
  public let scales: UnsafePointer<Float>
  /// The number of rows without padding.
  public let rows: Int
  /// The dimensions of a row.
  public let columns: Int

  /// Refers to memory of the caller, which must outlive this value.
  public init(codes: UnsafeRawPointer, scales: UnsafePointer<Float>, rows: Int, columns: Int) {
    self.codes = codes
    self.scales = scales
    self.rows = rows
    self.columns = columns
  }

  /// Rounds a row of rotated values, in units of their standard deviation, to the nearest level,
  /// and packs the codes into the row's block.
  ///
  /// - Returns: the scale of the row: its length divided by its product with the values of its
  ///   codes.
  public static func encode(
    _ x: UnsafePointer<Float>, columns: Int, row: Int, into block: UnsafeMutablePointer<UInt8>
  ) -> Float {
    var square: Float = 0
    for i in 0..<columns { square += x[i] * x[i] }
    let deviation = (square / Float(columns)).squareRoot()
    let (l0, l1, l2, l3) = levels
    let edge = (l2 + l3) / 2 * deviation
    let lane = lane(of: row)
    var product: Float = 0
    for byte in 0..<rowBytes(columns) {
      var packed: UInt8 = 0
      for j in 0..<4 where byte * 4 + j < columns {
        let value = x[byte * 4 + j]
        let code: UInt8 = value < 0 ? (value < -edge ? 0 : 1) : (value > edge ? 3 : 2)
        packed |= code << UInt8(2 * j)
        product += value * (code < 2 ? (code == 0 ? l0 : l1) : (code == 2 ? l2 : l3))
      }
      block[byte * 64 + lane] = packed
    }
    return product > 0 ? square.squareRoot() / product : 0
  }

  /// The position of a row's byte among the 64 of its block.
  static func lane(of row: Int) -> Int {
    row % 64 < 32 ? 2 * (row % 64) : 2 * (row % 64 - 32) + 1
  }

  /// The value of a row's code for a column.
  public static func level(_ column: Int, row: Int, in block: UnsafePointer<UInt8>) -> Float {
    let lane = lane(of: row)
    let (l0, l1, l2, l3) = levels
    switch block[column / 4 * 64 + lane] >> UInt8(column % 4 * 2) & 3 {
    case 0: return l0
    case 1: return l1
    case 2: return l2
    default: return l3
    }
  }

  /// The number of blocks of 64 rows; the last one may be padded.
  public var blocks: Int { (rows + Self.blockRows - 1) / Self.blockRows }
  /// Bytes of one row's codes. The number is even, because tables are looked up two bytes at a
  /// time.
  public static func rowBytes(_ columns: Int) -> Int { (columns + 7) / 8 * 2 }
}

extension GenericKernels {
  /// Estimates the cosines of a range of blocks, up to a factor, and collects the best.
  @_alwaysEmitIntoClient @inline(__always)
  static func coarseScan(
    _ query: CoarseQuery, _ m: CoarseRows, _ blocks: Range<Int>, _ found: inout Candidates
  ) {
    let rowBytes = CoarseRows.rowBytes(m.columns)
    var block = blocks.lowerBound
    while block < blocks.upperBound {
      // Two blocks share the loads of the tables. An odd last block is scanned twice and collected
      // once.
      let second = min(block + 1, blocks.upperBound - 1)
      let p = m.codes + block * rowBytes * 64, q = m.codes + second * rowBytes * 64
      var even = SIMD32<UInt16>(), odd = even, evenToo = even, oddToo = even
      var byte = 0
      while byte < rowBytes {
        let tables = UnsafeRawPointer(query.tables + byte * 32)
        let sums = entries(tables, p + byte * 64)
        let sumsToo = entries(tables, q + byte * 64)
        even = vdsq_add_even(even, sums)
        odd = vdsq_add_odd(odd, sums)
        evenToo = vdsq_add_even(evenToo, sumsToo)
        oddToo = vdsq_add_odd(oddToo, sumsToo)
        byte += 2
      }
      collect(even, odd, query, m, block, &found)
      if second > block { collect(evenToo, oddToo, query, m, second, &found) }
      block += 2
    }
  }

  /// The contribution of eight columns to each row of a block: entries of four tables.
  @_alwaysEmitIntoClient @inline(__always)
  static func entries(_ tables: UnsafeRawPointer, _ codes: UnsafeRawPointer) -> SIMD64<UInt8> {
    let x = codes.loadUnaligned(as: SIMD64<UInt8>.self)
    let y = (codes + 64).loadUnaligned(as: SIMD64<UInt8>.self)
    let first = vdsq_add_u8(
      ISA.lookup(tables, vdsq_low_nibbles(x)), ISA.lookup(tables + 16, vdsq_high_nibbles(x)))
    let second = vdsq_add_u8(
      ISA.lookup(tables + 32, vdsq_low_nibbles(y)), ISA.lookup(tables + 48, vdsq_high_nibbles(y)))
    return vdsq_add_u8(first, second)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func collect(
    _ even: SIMD32<UInt16>, _ odd: SIMD32<UInt16>, _ query: CoarseQuery, _ m: CoarseRows,
    _ block: Int, _ found: inout Candidates
  ) {
    let row = block * CoarseRows.blockRows
    collect(even.lowHalf, query, m, row, &found)
    collect(even.highHalf, query, m, row + 16, &found)
    collect(odd.lowHalf, query, m, row + 32, &found)
    collect(odd.highHalf, query, m, row + 48, &found)
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func collect(
    _ sums: SIMD16<UInt16>, _ query: CoarseQuery, _ m: CoarseRows, _ row: Int,
    _ found: inout Candidates
  ) {
    let exact = vdsq_to_float(vdsq_widen_u16(sums)) - splat(query.offset)
    let estimates = exact * load16(m.scales + row)
    let threshold = found.threshold
    guard vdsq_any_above(estimates, threshold) else { return }
    for i in 0..<max(0, min(16, m.rows - row)) where estimates[i] > threshold {
      found.append(estimates[i], Int32(truncatingIfNeeded: row + i))
    }
  }
}
