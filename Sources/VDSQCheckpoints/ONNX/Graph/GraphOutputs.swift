import VDSQFormat

/// The outputs of an encoder's graph: the states of tokens, and vectors of texts.
struct GraphOutputs {
  /// The expression of the last layer's states.
  private(set) var states = -1
  private(set) var vector: (pooling: String, normalizes: Bool)?

  /// - Throws: `badInput` if an output is none of an encoder, naming it.
  init(_ reader: GraphReader) throws(VDSQError) {
    var vectors: [(name: String, of: Int, pooling: String, normalizes: Bool)] = []
    for port in reader.model.outputs {
      let state: GraphState
      switch try reader.value(port.name) {
      // Exporters repeat inputs among the outputs.
      case .known: continue
      case .state(let own): state = own
      case .unknown(let node, let reason): throw reader.misfit(node: node, reason)
      default: throw Self.misfit(reader, port.name)
      }
      let expression = reader.expressions[state.expression]
      if state.isPlain, case .norm = expression {
        // States of lower layers are older.
        states = max(states, state.expression)
      } else if let (origin, pooling, normalizes) = Self.vector(state, reader) {
        vectors.append((port.name, origin, pooling, normalizes))
      } else if Self.isPooler(state, reader), port.name != "sentence_embedding" {
        continue
      } else {
        throw Self.misfit(reader, port.name)
      }
    }
    if states < 0 { states = vectors.first?.of ?? -1 }
    guard states >= 0 else {
      throw .badInput("\(reader.model.file.path): no output has the states of an encoder")
    }
    for vector in vectors {
      guard vector.of == states else { throw Self.misfit(reader, vector.name) }
      if let known = self.vector, known != (vector.pooling, vector.normalizes) {
        throw .badInput(
          "\(reader.model.file.path): output \(vector.name): a second pooling is not supported")
      }
      self.vector = (vector.pooling, vector.normalizes)
    }
  }

  /// What a vector of texts is made of; nil if a state is none.
  private static func vector(_ state: GraphState, _ reader: GraphReader) -> (Int, String, Bool)? {
    guard state.isPlain else { return nil }
    switch reader.expressions[state.expression] {
    case .pooled(let origin, let pooling): return (origin, pooling, false)
    case .unit(let inner):
      guard case .pooled(let origin, let pooling) = reader.expressions[inner] else { return nil }
      return (origin, pooling, true)
    default: return nil
    }
  }

  /// Whether a state is the pooler of pretraining, which sentence encoders do not use: a square
  /// layer and tanh behind the first token's state.
  private static func isPooler(_ state: GraphState, _ reader: GraphReader) -> Bool {
    guard case .linear(let rows, let weight, _) = reader.expressions[state.expression],
      rows.ofTexts, rows.function == nil, state.places == nil,
      state.function?.activation == "tanh", weight.shape[0] == weight.shape[1],
      case .pooled(_, "cls") = reader.expressions[rows.expression]
    else { return false }
    return true
  }

  private static func misfit(_ reader: GraphReader, _ name: String) -> VDSQError {
    let node = reader.model.nodes.last { $0.outputs.contains(name) }
    return .badInput(
      "\(reader.model.file.path): output \(name)"
        + (node.map { " of operation \($0.description)" } ?? "")
        + " is neither the states of an encoder nor their mean or first; export the model for "
        + "feature extraction")
  }
}
