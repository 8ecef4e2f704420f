/// A matrix of int8 rows, such as stored vocabulary bases, to be compared with queries by cosine.
public struct Int8Rows {
  /// `[rows, columns]`, -128...127.
  public let values: UnsafePointer<Int8>
  /// The number of rows, such as the vocabulary size.
  public let rows: Int
  /// The dimensions of a row.
  public let columns: Int
  /// The reciprocal length of each row of int8 values; 0 for a row of zeros.
  public let reciprocalNorms: UnsafePointer<Float>

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    values: UnsafePointer<Int8>, rows: Int, columns: Int, reciprocalNorms: UnsafePointer<Float>
  ) {
    self.values = values
    self.rows = rows
    self.columns = columns
    self.reciprocalNorms = reciprocalNorms
  }
}
