import VDSQFormat

extension GraphReader {
  /// The rows that a state is, for a linear layer; nil if its elements are in another order.
  func rows(of state: GraphState) throws(VDSQError) -> Rows? {
    let shape = shapes[state.expression]
    guard let width = state.shape.last, width > 0 else { return nil }
    let tokens = texts.tokens
    if case .context(_, _, let values, _) = expressions[state.expression] {
      // Heads beside each other again: [texts, tokens, heads * head size].
      let (count, size) = (values.count, values.size)
      guard width == count * size, state.count == texts.count * tokens * width else { return nil }
      try charge(state.shape)
      let places = state.grid.elements
      for i in places.indices {
        let column = i % width, row = i / width
        let place =
          ((row / tokens * count + column / size) * tokens + row % tokens) * size + column % size
        guard places[i] == place else { return nil }
      }
      return Rows(expression: state.expression, function: state.function)
    }
    guard shape.last == width, state.places == nil else { return nil }
    return Rows(expression: state.expression, function: state.function, ofTexts: shape.count == 2)
  }

  /// The product of rows with a matrix `[inputs, outputs]`.
  ///
  /// - Parameter shape: that of the state that the rows are of.
  func product(_ rows: Rows, _ weight: GraphWeight, _ shape: [Int]) throws(VDSQError) -> GraphState?
  {
    guard weight.shape.count == 2, weight.shape[0] == shape.last else { return nil }
    let state = make(.product(rows, weight), rowShape(rows, weight.shape[1]))
    try charge(shape.dropLast() + [weight.shape[1]])
    return GraphState(state.expression, shape.dropLast() + [weight.shape[1]])
  }

  /// The shape of the outputs of a linear layer.
  func rowShape(_ rows: Rows, _ outputs: Int) -> [Int] {
    rows.ofTexts ? [texts.count, outputs] : [texts.count, texts.tokens, outputs]
  }

  func matrixProduct(_ inputs: [GraphValue]) throws(VDSQError) -> GraphState? {
    guard inputs.count == 2, case .state(let a) = inputs[0] else { return nil }
    switch inputs[1] {
    case .weight(let weight):
      return try rows(of: a).flatMap { (rows) throws(VDSQError) in
        try product(rows, weight, a.shape)
      }
    case .state(let b): return try attentionProduct(a, b, factor: 1)
    default: return nil
    }
  }

  func gemm(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> GraphState? {
    guard inputs.count >= 2, case .state(let state) = inputs[0],
      case .weight(var weight) = inputs[1],
      node.number("alpha") ?? 1 == 1, node.number("beta") ?? 1 == 1,
      node.integer("transA") ?? 0 == 0, let rows = try rows(of: state)
    else { return nil }
    if node.integer("transB") ?? 0 != 0 {
      guard let transposed = weight.transposed else { return nil }
      weight = transposed
    }
    guard let product = try product(rows, weight, state.shape) else { return nil }
    guard inputs.count > 2 else { return product }
    guard case .weight(let bias) = inputs[2] else { return nil }
    return linear(product, bias)
  }

  /// A product with a bias; nil if the state is no product.
  func linear(_ state: GraphState, _ bias: GraphWeight) -> GraphState? {
    guard state.isPlain, case .product(let rows, let weight) = expressions[state.expression],
      bias.count == weight.shape[1], bias.shape.last == bias.count, !bias.isRaw
    else { return nil }
    let made = make(.linear(rows, weight, bias: bias), rowShape(rows, bias.count))
    return GraphState(made.expression, state.shape)
  }
}
