/// A vector quantized to int8, to be compared with rows.
public struct Int8Query {
  /// -127...127, padded with zeros to `paddedColumns`.
  public let values: UnsafePointer<Int8>
  /// The sum of the values.
  public let sum: Int32
  /// The reciprocal length of the int8 vector; 0 for a vector of zeros.
  public let reciprocalNorm: Float

  /// Refers to values that were quantized before and must outlive this value.
  public init(values: UnsafePointer<Int8>, sum: Int32, reciprocalNorm: Float) {
    self.values = values
    self.sum = sum
    self.reciprocalNorm = reciprocalNorm
  }

  /// The size of a query's values in bytes: whole registers of the widest instruction set.
  public static func paddedColumns(_ columns: Int) -> Int { (columns + 63) / 64 * 64 }

  /// Quantizes a vector symmetrically into `values`, a buffer of `paddedColumns` bytes.
  ///
  /// A vector with an element that is not finite becomes all zeros; its cosine to every row is 0.
  @_alwaysEmitIntoClient @inline(__always)
  public init(
    quantizing x: UnsafePointer<Float>, columns: Int, into values: UnsafeMutablePointer<Int8>
  ) {
    var largest: Float = 0
    var finite = true
    for i in 0..<columns {
      largest = max(largest, x[i].magnitude)
      finite = finite && x[i].isFinite
    }
    let inverse = finite && largest > 1e-30 ? 127 / largest : 0
    var sum: Int32 = 0
    var squares: Int32 = 0
    for i in 0..<columns {
      // Rounds to the nearest, ties to even, as `roundingMagic` does.
      let bits = (finite ? x[i] * inverse : 0) + 12_582_912
      let q = Int8(truncatingIfNeeded: Int32(bitPattern: bits.bitPattern) &- roundingMagicBits)
      values[i] = q
      sum &+= Int32(q)
      squares &+= Int32(q) &* Int32(q)
    }
    for i in columns..<Self.paddedColumns(columns) { values[i] = 0 }
    self.init(
      values: UnsafePointer(values), sum: sum,
      reciprocalNorm: squares > 0 ? 1 / Float(squares).squareRoot() : 0)
  }
}
