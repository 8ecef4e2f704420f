/// The activation function that a linear layer's epilogue applies.
public enum Activation: Sendable, CaseIterable {
  /// `x`
  case identity
  /// `x/2 (1 + erf(x / sqrt 2))`
  case gelu
  /// The tanh approximation of GELU (`gelu_new`, `gelu_pytorch_tanh`).
  case geluTanh
  /// `max(0, x)`
  case relu
  /// `x / (1 + e^-x)`
  case silu
}
