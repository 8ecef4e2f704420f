/// A module behind the layers of a model: what a head or a sentence encoder does with a pooled
/// state.
package enum OutputModule: Equatable, Sendable {
  /// A linear layer and an activation function.
  case dense(DenseActivation)
  /// Layer normalization with gain and bias.
  case layerNorm
  /// Division by the Euclidean length.
  case normalize

  /// Its name in metadata: `dense`, `dense:tanh`, `layer_norm`, `normalize`.
  package var name: String {
    switch self {
    case .dense(.identity): "dense"
    case .dense(let activation): "dense:\(activation.name)"
    case .layerNorm: "layer_norm"
    case .normalize: "normalize"
    }
  }

  /// The module of a name; nil if there is none.
  package init?(named name: String) {
    let all: [OutputModule] =
      DenseActivation.allCases.map { .dense($0) } + [.layerNorm, .normalize]
    for module in all where module.name.utf8.elementsEqual(name.utf8) {
      self = module
      return
    }
    return nil
  }

  /// The most modules of a list.
  private static let most = 16

  /// Modules as metadata list them, separated by spaces.
  ///
  /// - Parameter key: the key of the list.
  /// - Throws: `badInput` if the list is missing or too long, or a name is unknown.
  package static func list(
    _ key: StaticString, in metadata: Metadata
  ) throws(VDSQError) -> [OutputModule] {
    var modules: [OutputModule] = []
    for part in try metadata.text(key).utf8.split(separator: UInt8(ascii: " ")) {
      let name = String(decoding: Array(part), as: UTF8.self)
      guard let module = OutputModule(named: name), modules.count < most else {
        throw .badInput("\(metadata.path): metadata: \(key): \(name) is not supported")
      }
      modules.append(module)
    }
    return modules
  }

  /// The text of a list for metadata.
  package static func text(of modules: [OutputModule]) -> String {
    var text = ""
    for module in modules { text += (text.utf8.isEmpty ? "" : " ") + module.name }
    return text
  }
}

/// The activation function of a linear layer behind pooling.
package enum DenseActivation: CaseIterable, Sendable {
  case identity, tanh, relu, gelu, geluTanh, silu, sigmoid

  /// Its name in metadata; those of PyTorch in lower case.
  package var name: String {
    switch self {
    case .identity: "identity"
    case .tanh: "tanh"
    case .relu: "relu"
    case .gelu: "gelu"
    case .geluTanh: "gelu_tanh"
    case .silu: "silu"
    case .sigmoid: "sigmoid"
    }
  }
}
