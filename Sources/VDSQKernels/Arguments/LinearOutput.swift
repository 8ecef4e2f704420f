/// The destination of a linear layer's outputs, and the activation function applied to them.
public struct LinearOutput {
  /// `[rows, outputs]`.
  public let y: UnsafeMutablePointer<Float>
  /// Floats from one row to the next.
  public let stride: Int
  /// The function that is applied after the bias.
  public let activation: Activation

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    y: UnsafeMutablePointer<Float>, stride: Int, activation: Activation = .identity
  ) {
    self.y = y
    self.stride = stride
    self.activation = activation
  }
}
