import VDSQCheckpoints
import VDSQFormat

extension CheckpointConfiguration {
  /// Follows what the operations of an ONNX file compute where it says more than `config.json`.
  ///
  /// - Throws: `badInput` if the two describe models of different sizes.
  mutating func follow(_ graph: EncoderGraph) throws(VDSQError) {
    for (what, own, key, stated) in [
      ("layers", graph.layers, "number of layers", architecture.layers),
      ("heads", graph.heads, "number of heads", architecture.heads),
      ("as first row of positions", graph.firstPosition, "padding", positionOffset),
    ] where own != stated {
      throw .badInput(
        "\(graph.path): the graph has \(own) \(what); config.json says \(stated) (\(key))")
    }
    // Longer texts are cut to the length that the graph has.
    if let tokens = graph.fixedTokens {
      architecture.maximumTokens = min(architecture.maximumTokens, tokens)
    }
    if graph.activation != Self.canonical(architecture.activation) {
      guard let activation = ActivationFunction(named: graph.activation) else {
        throw .badInput("\(graph.path): activation \(graph.activation) is not supported")
      }
      warnings.append(
        "\(graph.path): the graph has activation \(graph.activation), config.json "
          + "\(architecture.activation.name); the graph is followed")
      architecture.activation = activation
      architecture.headActivation = activation
    }
    // Epsilons of single precision are not those of the text; half precision has none so small.
    let difference = (graph.epsilon - architecture.normEpsilon).magnitude
    if difference > 1e-3 * architecture.normEpsilon {
      if difference > 1e-6 {
        warnings.append(
          "\(graph.path): the norms of the graph have epsilon \(graph.epsilon), config.json "
            + "\(architecture.normEpsilon); the graph is followed")
      }
      architecture.normEpsilon = max(graph.epsilon, 1e-12)
    }
  }

  /// The first of the names of an activation function.
  private static func canonical(_ activation: ActivationFunction) -> String {
    switch activation {
    case .geluNew, .geluPyTorchTanh, .geluFast: ActivationFunction.geluNew.name
    case .silu, .swish: ActivationFunction.silu.name
    case .gelu, .relu: activation.name
    }
  }
}

extension Architecture {
  /// Follows the vector of a text that an ONNX file makes.
  ///
  /// - Parameter declares: whether the folder says how states become a vector.
  /// - Throws: `badInput` if it says another.
  mutating func follow(_ graph: EncoderGraph, declares: Bool) throws(VDSQError) {
    guard let vector = graph.vector, let pooling = Pooling(named: vector.pooling) else { return }
    guard declares else {
      self.pooling = pooling
      normalize = vector.normalizes
      return
    }
    // An export may end before the last modules.
    guard self.pooling == pooling, morePoolings.isEmpty,
      !vector.normalizes || normalize || modules.first == .normalize
    else {
      throw .badInput(
        "\(graph.path): the graph makes a vector by \(vector.pooling)"
          + (vector.normalizes ? ", normalized" : "") + "; modules.json says \(self.pooling.name)")
    }
  }
}
