/// A matrix of int8 rows, as vocabulary bases are stored, whose cosines to a query are wanted.
public struct Int8Rows {
  /// `[rows, columns]`, -128...127.
  public let values: UnsafePointer<Int8>
  public let rows: Int
  public let columns: Int
  /// One over the length of each row of int8 values; 0 for a row of zeros.
  public let reciprocalNorms: UnsafePointer<Float>

  public init(
    values: UnsafePointer<Int8>, rows: Int, columns: Int, reciprocalNorms: UnsafePointer<Float>
  ) {
    self.values = values
    self.rows = rows
    self.columns = columns
    self.reciprocalNorms = reciprocalNorms
  }
}

/// A vector quantized to int8 to be compared with rows.
public struct Int8Query {
  /// -127...127, filled up with zeros to `paddedColumns`.
  public let values: UnsafePointer<Int8>
  /// The sum of the values.
  public let sum: Int32
  /// One over the length of the int8 vector; 0 for zeros.
  public let reciprocalNorm: Float

  public init(values: UnsafePointer<Int8>, sum: Int32, reciprocalNorm: Float) {
    self.values = values
    self.sum = sum
    self.reciprocalNorm = reciprocalNorm
  }

  /// Bytes that a query's values take: whole registers of the widest instruction set.
  public static func paddedColumns(_ columns: Int) -> Int { (columns + 63) / 64 * 64 }

  /// Quantizes a vector symmetrically into `values`, which has room for `paddedColumns` bytes.
  ///
  /// A vector with a value that is not finite becomes zeros, whose cosine to everything is 0.
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
