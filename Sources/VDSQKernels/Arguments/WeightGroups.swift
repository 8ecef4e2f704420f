/// Factors for groups of columns of a row. The value of a weight is its int8 times the scale of its
/// row times the factor of its group. The int8 of four bits is eight times their value, 0...15,
/// minus the zero point of their group.
public struct WeightGroups {
  /// Columns of a group, a multiple of 4, and of 8 for weights of four bits. The last group may
  /// have fewer.
  public let length: Int
  /// Half-precision numbers, `[panels][groups][16]`.
  public let factors: UnsafeRawPointer
  /// Bytes from 0 to 120, `[panels][groups][16]`; nil unless weights have four bits.
  public let zeroPoints: UnsafeRawPointer?
  /// For each output row, the sum of its weights before its scale; `panels * 16` elements.
  public let sums: UnsafePointer<Float>

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    length: Int, factors: UnsafeRawPointer, zeroPoints: UnsafeRawPointer? = nil,
    sums: UnsafePointer<Float>
  ) {
    self.length = length
    self.factors = factors
    self.zeroPoints = zeroPoints
    self.sums = sums
  }

  /// Number of groups in a row.
  @_alwaysEmitIntoClient @inline(__always)
  public func count(_ inputs: Int) -> Int { (inputs + length - 1) / length }
}
