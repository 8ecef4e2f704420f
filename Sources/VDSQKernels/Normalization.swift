/// The parameters of a layer's LayerNorm or RMSNorm.
public struct Normalization {
  public let gain: UnsafePointer<Float>
  /// Nil for an RMSNorm, which has none.
  public let bias: UnsafePointer<Float>?
  public let epsilon: Float

  public init(gain: UnsafePointer<Float>, bias: UnsafePointer<Float>?, epsilon: Float) {
    self.gain = gain
    self.bias = bias
    self.epsilon = epsilon
  }
}
