/// The minimum and maximum of each row of a matrix: sixteen lanes of low values and sixteen of high
/// values per row. Norm kernels write them, so that quantization does not have to search for them.
public struct RowRanges {
  /// `[rows][32]`.
  public let lanes: UnsafeMutablePointer<Float>

  /// Refers to `rows * 32` floats of the caller.
  public init(lanes: UnsafeMutablePointer<Float>) { self.lanes = lanes }

  @_alwaysEmitIntoClient @inline(__always)
  func set(_ row: Int, low: SIMD16<Float>, high: SIMD16<Float>) {
    store16(low, lanes + row * 32)
    store16(high, lanes + row * 32 + 16)
  }
}
