package import VDSQFormat
package import VDSQKernels

extension Activation {
  /// The activation that kernels compute for an architecture's activation function.
  package init(_ function: ActivationFunction) {
    switch function {
    case .gelu: self = .gelu
    case .geluNew, .geluPyTorchTanh, .geluFast: self = .geluTanh
    case .relu: self = .relu
    case .silu, .swish: self = .silu
    }
  }
}
