/// Sixteen sums for each of four rows.
@frozen
public struct Lanes4 {
  /// The sums of the four rows, one lane per output row of the panel.
  public var c0, c1, c2, c3: SIMD16<Int32>

  /// Creates the sums of four rows.
  @_alwaysEmitIntoClient @inline(__always)
  public init(
    _ c0: SIMD16<Int32>, _ c1: SIMD16<Int32>, _ c2: SIMD16<Int32>, _ c3: SIMD16<Int32>
  ) {
    (self.c0, self.c1, self.c2, self.c3) = (c0, c1, c2, c3)
  }
}
