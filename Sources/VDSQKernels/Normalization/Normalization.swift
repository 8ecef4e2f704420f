/// The parameters of a layer's LayerNorm or RMSNorm.
public struct Normalization {
  /// The factor of each column; `columns` elements.
  public let gain: UnsafePointer<Float>
  /// Nil for none: an RMSNorm has none, a LayerNorm may have none.
  public let bias: UnsafePointer<Float>?
  /// The number added to the variance, or to the mean of squares, before the square root.
  public let epsilon: Float

  /// Refers to memory of the caller, which must outlive this value.
  public init(gain: UnsafePointer<Float>, bias: UnsafePointer<Float>?, epsilon: Float) {
    self.gain = gain
    self.bias = bias
    self.epsilon = epsilon
  }
}
