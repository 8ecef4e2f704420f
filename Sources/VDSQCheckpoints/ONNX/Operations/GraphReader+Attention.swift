import VDSQFormat

extension GraphReader {
  /// The heads that a state is: `[texts * heads, tokens, size]`, or with the last two axes
  /// exchanged; and the factor of its elements. Nil if elements are in another order.
  private func heads(
    _ state: GraphState, exchanged: Bool
  ) throws(VDSQError) -> (Heads, factor: Double)? {
    guard case .linear(let rows, _, _) = expressions[state.expression], !rows.ofTexts,
      state.shape.count >= 3, let factor = state.function.map(\.factor) ?? 1
    else { return nil }
    let last = state.shape.count - 1, width = shapes[state.expression].last!
    let size = state.shape[exchanged ? last - 1 : last]
    guard state.shape[exchanged ? last : last - 1] == texts.tokens, size > 0,
      state.count % (texts.count * texts.tokens * size) == 0
    else { return nil }
    let count = state.count / (texts.count * texts.tokens * size)
    try charge(state.shape)
    let places = state.grid.elements
    guard count > 0, let first = places.min().map(Int.init), first + count * size <= width else {
      return nil
    }
    for i in places.indices {
      let inner = i % (texts.tokens * size), outer = i / (texts.tokens * size)
      let (token, column) =
        exchanged
        ? (inner % texts.tokens, inner / texts.tokens) : (inner / size, inner % size)
      let row = outer / count * texts.tokens + token
      guard Int(places[i]) == row * width + first + outer % count * size + column else {
        return nil
      }
    }
    return (
      Heads(linear: state.expression, columns: first..<first + count * size, count: count), factor
    )
  }

  /// The product of two states: scores of queries and keys, or means of values.
  func attentionProduct(
    _ a: GraphState, _ b: GraphState, factor: Double
  ) throws(VDSQError) -> GraphState? {
    if case .probabilities(let queries, let keys, let scale) = expressions[a.expression], a.isPlain
    {
      guard let (values, own) = try heads(b, exchanged: false), (own - 1).magnitude < 1e-6,
        values.count == queries.count
      else { return nil }
      let shape = [texts.count, values.count, texts.tokens, values.size]
      try charge(shape)
      let made = make(.context(queries, keys, values, factor: scale), shape)
      return GraphState(made.expression, a.shape.dropLast() + [values.size])
    }
    guard let (queries, first) = try heads(a, exchanged: false),
      let (keys, second) = try heads(b, exchanged: true), queries.count == keys.count,
      queries.size == keys.size
    else { return nil }
    let shape = [texts.count, queries.count, texts.tokens, texts.tokens]
    try charge(shape)
    let made = make(.scores(queries, keys, factor: first * second * factor), shape)
    return GraphState(made.expression, a.shape.dropLast() + [texts.tokens])
  }

  /// Scores with the bias of a mask added; nil if the bias is another, or the state no scores.
  func masked(_ state: GraphState, _ bias: KnownTensor) throws(VDSQError) -> GraphState? {
    guard case .scores(let queries, let keys, let own) = expressions[state.expression],
      state.places == nil, let factor = state.function.map(\.factor) ?? 1,
      Grid<Double>.common(state.shape, bias.shape) == state.shape
    else { return nil }
    try charge(state.shape)
    let values = bias.grid.expanded(to: state.shape).elements
    let tokens = texts.tokens
    for i in values.indices {
      let text = i / (queries.count * tokens * tokens)
      // Rows of padding are not read.
      guard texts.isKept(text, i / tokens % tokens) else { continue }
      // BERT's own mask is -10,000.
      guard texts.isKept(text, i % tokens) ? values[i].magnitude < 1e-6 : values[i] <= -9e3 else {
        return nil
      }
    }
    let made = make(
      .masked(queries, keys, factor: own * factor), shapes[state.expression])
    return GraphState(made.expression, state.shape)
  }

  func softmax(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> GraphState? {
    guard inputs.count == 1, case .state(let state) = inputs[0], state.places == nil,
      let factor = state.function.map(\.factor) ?? 1,
      axis(node.integer("axis") ?? (model.opset < 13 ? 1 : -1), of: state.shape)
        == state.shape.count - 1
    else { return nil }
    let result: GraphExpression
    switch expressions[state.expression] {
    case .scores(let queries, let keys, let own):
      // Without a mask, padding would be attended to.
      guard !model.inputs.contains(where: { $0.name == "attention_mask" }) else { return nil }
      result = .probabilities(queries, keys, factor: own * factor)
    case .masked(let queries, let keys, let own):
      guard (factor - 1).magnitude < 1e-6 else { return nil }
      result = .probabilities(queries, keys, factor: own)
    default: return nil
    }
    let made = make(result, shapes[state.expression])
    return GraphState(made.expression, state.shape)
  }
}
