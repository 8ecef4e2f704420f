import VDSQFormat

/// The names of a head's linear layers in checkpoints, one after another, each with the activation
/// function that follows it. Biases are used where checkpoints have them.
package struct HeadNames: Sendable {
  let layers: [(name: String, activation: DenseActivation)]

  init(_ layers: (name: String, activation: DenseActivation)...) { self.layers = layers }
}
