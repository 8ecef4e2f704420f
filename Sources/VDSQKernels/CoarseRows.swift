import CShims

/// Rows in two bits a dimension: a first pass over them finds candidates for the int8 rows with a
/// quarter of the memory traffic (docs/format.md, "Coarse rows").
public struct CoarseRows {
  /// Rows in a block.
  public static let blockRows = 64
  /// What the four codes stand for, in units of a row's standard deviation: the levels of the best
  /// four-level quantizer of a normal variable (Max 1960).
  public static let levels: [Float] = [-1.510, -0.4528, 0.4528, 1.510]

  /// `[rows / 64][columns / 4][64]`: byte 2i is of row i of the block, byte 2i + 1 of row 32 + i; two
  /// bits a column, the first lowest.
  public let codes: UnsafeRawPointer
  /// What the product with a row's codes is multiplied by to be its cosine's estimate, up to a factor
  /// of the query; `rows` filled up to whole blocks.
  public let scales: UnsafePointer<Float>
  public let rows: Int
  public let columns: Int

  public init(codes: UnsafeRawPointer, scales: UnsafePointer<Float>, rows: Int, columns: Int) {
    self.codes = codes
    self.scales = scales
    self.rows = rows
    self.columns = columns
  }

  public var blocks: Int { (rows + Self.blockRows - 1) / Self.blockRows }
  /// Bytes of one row's codes, an even number: tables are looked up two bytes at a time.
  public static func rowBytes(_ columns: Int) -> Int { (columns + 7) / 8 * 2 }
}

/// A query as tables: what each pair of columns adds for each of its sixteen codes.
public struct CoarseQuery {
  /// `[rowBytes * 2][16]`, each at most `largestEntry`.
  public let tables: UnsafePointer<UInt8>
  /// What a sum of table entries has too much.
  public let offset: Float

  /// Entries are small enough that four of them fit a byte, and a row's a sixteen-bit sum.
  public static func largestEntry(_ columns: Int) -> Int {
    min(63, 65535 / (CoarseRows.rowBytes(columns) * 2))
  }

  /// - Parameters:
  ///   - x: the query, rotated as the rows were.
  ///   - tables: room for `rowBytes * 32` bytes.
  public init(
    _ x: UnsafePointer<Float>, columns: Int, into tables: UnsafeMutablePointer<UInt8>
  ) {
    let pairs = CoarseRows.rowBytes(columns) * 2
    func value(_ i: Int) -> Float { i < columns && x[i].isFinite ? x[i] : 0 }
    let high = CoarseRows.levels[3]
    var widest: Float = 1e-30
    for pair in 0..<pairs {
      widest = max(widest, high * (value(2 * pair).magnitude + value(2 * pair + 1).magnitude))
    }
    let largest = Float(Self.largestEntry(columns))
    let step = largest / (2 * widest)
    var offset: Float = 0
    for pair in 0..<pairs {
      let a = value(2 * pair), b = value(2 * pair + 1)
      // Each table starts at zero.
      let lowest = -high * (a.magnitude + b.magnitude)
      for code in 0..<16 {
        let sum = a * CoarseRows.levels[code & 3] + b * CoarseRows.levels[code >> 2]
        let entry = ((sum - lowest) * step).rounded(.toNearestOrEven)
        tables[pair * 16 + code] = UInt8(min(max(entry, 0), largest))
      }
      offset -= lowest * step
    }
    self.tables = UnsafePointer(tables)
    self.offset = offset
  }
}

extension GenericKernels {
  /// Estimates the cosines of a range of blocks, up to a factor, and collects the best.
  @_alwaysEmitIntoClient @inline(__always)
  static func coarseScan(
    _ query: CoarseQuery, _ m: CoarseRows, _ blocks: Range<Int>, _ found: inout Candidates
  ) {
    let rowBytes = CoarseRows.rowBytes(m.columns)
    for block in blocks {
      let codes = m.codes + block * rowBytes * 64
      var even = SIMD32<UInt16>(), odd = SIMD32<UInt16>()
      var byte = 0
      while byte < rowBytes {
        let tables = UnsafeRawPointer(query.tables + byte * 32)
        vdsq_prefetch(codes + byte * 64 + prefetchDistance)
        vdsq_prefetch(codes + byte * 64 + 64 + prefetchDistance)
        let x = (codes + byte * 64).loadUnaligned(as: SIMD64<UInt8>.self)
        let y = (codes + byte * 64 + 64).loadUnaligned(as: SIMD64<UInt8>.self)
        let sum =
          ISA.lookup(tables, x & 15) &+ ISA.lookup(tables + 16, (x &>> 4) & 15)
          &+ ISA.lookup(tables + 32, y & 15) &+ ISA.lookup(tables + 48, (y &>> 4) & 15)
        let words = unsafeBitCast(sum, to: SIMD32<UInt16>.self)
        even = even &+ (words & 0xFF)
        odd = odd &+ (words &>> 8)
        byte += 2
      }
      let row = block * CoarseRows.blockRows
      collect(even.lowHalf, query, m, row, &found)
      collect(even.highHalf, query, m, row + 16, &found)
      collect(odd.lowHalf, query, m, row + 32, &found)
      collect(odd.highHalf, query, m, row + 48, &found)
    }
  }

  @_alwaysEmitIntoClient @inline(__always)
  static func collect(
    _ sums: SIMD16<UInt16>, _ query: CoarseQuery, _ m: CoarseRows, _ row: Int,
    _ found: inout Candidates
  ) {
    let exact = vdsq_to_float(vdsq_widen_u16(sums)) - splat(query.offset)
    let estimates = exact * load16(m.scales + row)
    let better = estimates .> splat(found.threshold)
    guard any(better) else { return }
    for i in 0..<max(0, min(16, m.rows - row)) where better[i] {
      found.append(estimates[i], Int32(truncatingIfNeeded: row + i))
    }
  }
}
