public import CShims

/// A query as tables: the contribution of each pair of columns for each of its sixteen codes.
public struct CoarseQuery {
  /// `[rowBytes * 2][16]`, each at most `largestEntry`.
  public let tables: UnsafePointer<UInt8>
  /// The offset to subtract from a sum of table entries.
  public let offset: Float

  /// Entries are so small that the sum of four fits a byte, and the sum of a row fits sixteen bits.
  public static func largestEntry(_ columns: Int) -> Int {
    min(63, 65535 / (CoarseRows.rowBytes(columns) * 2))
  }

  /// - Parameters:
  ///   - x: the query, rotated like the rows. An element that is not finite counts as 0.
  ///   - tables: a buffer of `rowBytes * 32` bytes.
  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ x: UnsafePointer<Float>, columns: Int, into tables: UnsafeMutablePointer<UInt8>
  ) {
    let pairs = CoarseRows.rowBytes(columns) * 2
    func value(_ i: Int) -> Float { i < columns && x[i].isFinite ? x[i] : 0 }
    let high = CoarseRows.levels.3
    var widest: Float = 1e-30
    for pair in 0..<pairs {
      widest = max(widest, high * (value(2 * pair).magnitude + value(2 * pair + 1).magnitude))
    }
    let largest = Int32(Self.largestEntry(columns))
    let step = Float(largest) / (2 * widest)
    let (l0, l1, l2, l3) = CoarseRows.levels
    let first = SIMD16<Float>(l0, l1, l2, l3, l0, l1, l2, l3, l0, l1, l2, l3, l0, l1, l2, l3)
    let second = SIMD16<Float>(l0, l0, l0, l0, l1, l1, l1, l1, l2, l2, l2, l2, l3, l3, l3, l3)
    var offset: Float = 0
    for pair in 0..<pairs {
      let a = value(2 * pair) * step, b = value(2 * pair + 1) * step
      // Each table starts at zero.
      let lowest = -high * (a.magnitude + b.magnitude)
      let sums = first * splat(a) + second * splat(b) - splat(lowest)
      let entries = unsafeBitCast(sums + roundingMagic, to: SIMD16<Int32>.self) &- roundingMagicBits
      UnsafeMutableRawPointer(tables + pair * 16).storeBytes(
        of: vdsq_saturate_u8(vdsq_at_most(entries, largest)), as: SIMD16<UInt8>.self)
      offset -= lowest
    }
    self.init(tables: UnsafePointer(tables), offset: offset)
  }

  /// Refers to tables that were built before and must outlive this value.
  public init(tables: UnsafePointer<UInt8>, offset: Float) {
    self.tables = tables
    self.offset = offset
  }
}
