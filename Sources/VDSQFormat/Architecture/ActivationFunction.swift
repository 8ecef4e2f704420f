/// An activation function, by its names in Hugging Face's configurations.
package enum ActivationFunction: CaseIterable, Sendable {
  /// `x Phi(x)` (Hendrycks and Gimpel 2016).
  case gelu
  /// The approximation of GELU with a hyperbolic tangent.
  case geluNew
  /// The same as `geluNew`.
  case geluPyTorchTanh
  /// The same as `geluNew`.
  case geluFast
  /// `max(x, 0)`.
  case relu
  /// `x sigmoid(x)`.
  case silu
  /// The same as `silu`.
  case swish

  /// Its name in metadata and in configurations.
  package var name: String {
    switch self {
    case .gelu: "gelu"
    case .geluNew: "gelu_new"
    case .geluPyTorchTanh: "gelu_pytorch_tanh"
    case .geluFast: "gelu_fast"
    case .relu: "relu"
    case .silu: "silu"
    case .swish: "swish"
    }
  }

  /// The activation function of a name; nil if it is not supported.
  package init?(named name: String) {
    for function in Self.allCases where function.name.utf8.elementsEqual(name.utf8) {
      self = function
      return
    }
    return nil
  }
}
