/// Rows quantized to u8. Each row has a scale and a zero point: `x ~= scale * (q - zeroPoint)`.
public struct QuantizedRows {
  /// The u8 values, in the layout of `layout`.
  public let values: UnsafeMutableRawPointer
  /// Bytes from one row to the next, `layout.rowBytes(columns)` at least.
  public let stride: Int
  /// The order and width of the values in a row.
  public let layout: ActivationLayout
  /// The step of each row.
  public let scales: UnsafeMutablePointer<Float>
  /// The integer that stands for 0 in each row; it may be outside 0...255.
  public let zeroPoints: UnsafeMutablePointer<Int32>

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    values: UnsafeMutableRawPointer, stride: Int, layout: ActivationLayout,
    scales: UnsafeMutablePointer<Float>, zeroPoints: UnsafeMutablePointer<Int32>
  ) {
    self.values = values
    self.stride = stride
    self.layout = layout
    self.scales = scales
    self.zeroPoints = zeroPoints
  }
}
