import VDSQFormat

/// The names of a head's layers in checkpoints, one after another. Biases are used where checkpoints
/// have them.
package struct HeadNames: Sendable {
  enum Layer {
    /// A linear layer, and the activation function that follows it.
    case linear(_ name: String, DenseActivation)
    case norm(_ name: String)

    var name: String {
      switch self {
      case .linear(let name, _), .norm(let name): name
      }
    }
  }

  let layers: [Layer]

  /// Linear layers.
  init(_ layers: (name: String, activation: DenseActivation)...) {
    self.layers = layers.map { .linear($0.name, $0.activation) }
  }

  init(layers: Layer...) { self.layers = layers }
}
