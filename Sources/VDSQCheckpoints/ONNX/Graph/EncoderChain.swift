import VDSQFormat

/// The layers of an encoder in a graph, from the embeddings to the last norm.
struct EncoderChain {
  /// A linear layer, with the outputs that are used.
  struct Linear {
    let weight: GraphWeight
    let bias: GraphWeight
    let outputs: Range<Int>
  }

  struct Norm {
    let gain: GraphWeight
    let bias: GraphWeight
  }

  struct Layer {
    /// Queries, keys and values.
    let projections: [Linear]
    let output: Linear
    let attentionNorm: Norm
    let up: Linear
    let down: Linear
    let outputNorm: Norm
  }

  /// First layer first.
  private(set) var layers: [Layer] = []
  private(set) var tables: [(row: EmbeddingRow, table: GraphWeight)] = []
  private(set) var embeddingNorm: Norm?
  private(set) var projection: Linear?
  private(set) var heads: Int?
  private(set) var activation: String?
  private(set) var epsilon: Double?
  private let reader: GraphReader

  /// - Parameter last: the expression of the last layer's states.
  /// - Throws: `badInput`, naming the operation whose result is none of an encoder.
  init(_ reader: GraphReader, last: Int) throws(VDSQError) {
    self.reader = reader
    var expression = last
    while true {
      let (norm, terms) = try norm(expression)
      if try readEmbeddings(terms) {
        embeddingNorm = norm
        break
      }
      guard projection == nil else {
        throw reader.misfit(expression, "there is a linear layer behind it")
      }
      expression = try readLayer(norm, terms, expression)
      if case .linear(let rows, let weight, let bias) = reader.expressions[expression],
        rows.function == nil, !rows.ofTexts
      {
        projection = Linear(weight: weight, bias: bias, outputs: 0..<weight.shape[1])
        expression = rows.expression
      }
    }
    layers.reverse()
    guard !layers.isEmpty else { throw reader.misfit(last, "it has no layers") }
  }

  /// The parts of a layer norm of a sum.
  private mutating func norm(_ expression: Int) throws(VDSQError) -> (Norm, terms: [Int]) {
    guard case .norm(let inner, let epsilon, let gain, let bias) = reader.expressions[expression],
      case .sum(let terms) = reader.expressions[inner]
    else { throw reader.misfit(expression, "a layer norm of a sum is expected") }
    if let known = self.epsilon, (known - epsilon).magnitude > 1e-3 * known {
      throw reader.misfit(expression, "its epsilon differs from that of the other norms")
    }
    self.epsilon = epsilon
    return (Norm(gain: gain, bias: bias), terms)
  }

  private mutating func readEmbeddings(_ terms: [Int]) throws(VDSQError) -> Bool {
    var found: [(row: EmbeddingRow, table: GraphWeight)] = []
    for term in terms {
      guard case .embedding(let table, let row) = reader.expressions[term] else { return false }
      found.append((row, table))
    }
    tables = found
    return true
  }

  /// Reads a layer from behind.
  ///
  /// - Returns: the expression of the states that it reads.
  private mutating func readLayer(
    _ outputNorm: Norm, _ terms: [Int], _ expression: Int
  ) throws(VDSQError) -> Int {
    let (down, downRows, middle) = try residual(terms, expression)
    guard
      case .linear(let upRows, let upWeight, let upBias) = reader.expressions[downRows.expression],
      upRows.expression == middle, upRows.function == nil
    else { throw reader.misfit(downRows.expression, "a feed-forward network is expected") }
    guard let activation = downRows.function.map(\.activation) ?? "identity",
      activation != "identity", activation != "tanh"
    else {
      throw reader.misfit(
        down.expression, "its input has an activation function that is not supported")
    }
    guard self.activation == nil || self.activation == activation else {
      throw reader.misfit(down.expression, "its activation function differs from that of others")
    }
    self.activation = activation
    let (attentionNorm, inner) = try norm(middle)
    let (output, outputRows, input) = try residual(inner, middle)
    guard
      case .context(let queries, let keys, let values, let factor) =
        reader.expressions[outputRows.expression], outputRows.function == nil
    else { throw reader.misfit(outputRows.expression, "attention is expected") }
    guard (factor * Double(queries.size).squareRoot() - 1).magnitude < 2e-3 else {
      throw reader.misfit(outputRows.expression, "scores have another scale than 1/sqrt(head size)")
    }
    guard heads == nil || heads == queries.count else {
      throw reader.misfit(outputRows.expression, "layers have different numbers of heads")
    }
    heads = queries.count
    var projections: [Linear] = []
    for part in [queries, keys, values] {
      guard case .linear(let rows, let weight, let bias) = reader.expressions[part.linear],
        rows.expression == input, rows.function == nil
      else { throw reader.misfit(part.linear, "queries, keys and values of other states") }
      projections.append(Linear(weight: weight, bias: bias, outputs: part.columns))
    }
    layers.append(
      Layer(
        projections: projections, output: output.layer, attentionNorm: attentionNorm,
        up: Linear(weight: upWeight, bias: upBias, outputs: 0..<upWeight.shape[1]),
        down: down.layer, outputNorm: outputNorm))
    return input
  }

  /// The two terms of a residual sum: a linear layer, with the rows that it reads, and the states
  /// that it is added to.
  private func residual(
    _ terms: [Int], _ expression: Int
  ) throws(VDSQError) -> (linear: (layer: Linear, expression: Int), rows: Rows, states: Int) {
    guard terms.count == 2 else {
      throw reader.misfit(expression, "a sum of a linear layer and the states before is expected")
    }
    // States are older than what is made of them.
    let (states, linear) = (terms.min()!, terms.max()!)
    guard case .linear(let rows, let weight, let bias) = reader.expressions[linear], !rows.ofTexts
    else { throw reader.misfit(linear, "a linear layer with a bias is expected") }
    let layer = Linear(weight: weight, bias: bias, outputs: 0..<weight.shape[1])
    return ((layer, linear), rows, states)
  }
}
