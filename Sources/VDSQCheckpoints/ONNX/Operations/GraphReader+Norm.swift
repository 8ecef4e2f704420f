import VDSQFormat

extension GraphReader {
  func layerNorm(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> GraphState? {
    guard inputs.count == 3, case .state(let state) = inputs[0], case .weight(let gain) = inputs[1],
      case .weight(let bias) = inputs[2],
      axis(node.integer("axis") ?? -1, of: state.shape) == state.shape.count - 1
    else { return nil }
    return norm(state, gain, bias, epsilon: node.number("epsilon") ?? 1e-5)
  }

  /// The layer norm of whole rows; nil if the state is none, or the vectors have another length.
  func norm(
    _ state: GraphState, _ gain: GraphWeight, _ bias: GraphWeight, epsilon: Double
  ) -> GraphState? {
    guard state.isPlain, isVector(gain, of: state), isVector(bias, of: state), epsilon >= 0,
      epsilon < 1
    else { return nil }
    let made = make(
      .norm(state.expression, epsilon: epsilon, gain: gain, bias: bias), shapes[state.expression])
    return GraphState(made.expression, state.shape)
  }

  private func isVector(_ weight: GraphWeight, of state: GraphState) -> Bool {
    weight.count == state.shape.last && weight.shape.last == weight.count && !weight.isRaw
  }

  /// The result of an operation of two states; nil if it does not fit.
  func combined(
    _ operation: String, _ a: GraphState, _ b: GraphState
  ) throws(VDSQError) -> GraphState? {
    switch operation {
    case "Add": return try sum(a, b)
    case "Sub":
      guard a.isPlain, b.isPlain, case .mean(a.expression) = expressions[b.expression] else {
        return nil
      }
      return make(.centered(a.expression), shapes[a.expression])
    case "Mul", "Div":
      if let state = normalized(a, b, isInverse: operation == "Mul") { return state }
      if operation == "Mul" { return normalized(b, a, isInverse: true) }
      return unit(a, b)
    default: return nil
    }
  }

  /// Terms of the same rows, which may be those of one text for all.
  func sum(_ a: GraphState, _ b: GraphState) throws(VDSQError) -> GraphState? {
    guard a.isPlain, b.isPlain, a.shape.last == b.shape.last,
      let shape = Grid<Double>.common(a.shape, b.shape)
    else { return nil }
    try charge(shape)
    func terms(_ state: GraphState) -> [Int] {
      if case .sum(let terms) = expressions[state.expression] { return terms }
      return [state.expression]
    }
    let all = terms(a) + terms(b)
    // An encoder has no longer sums.
    guard all.count <= 4 else { return nil }
    return make(.sum(all), shape)
  }

  /// A centered state over its standard deviation, or times the inverse.
  private func normalized(
    _ state: GraphState, _ deviation: GraphState, isInverse: Bool
  ) -> GraphState? {
    guard state.isPlain, deviation.places == nil, let function = deviation.function,
      case .centered(let origin) = expressions[state.expression],
      case .variance(origin) = expressions[deviation.expression]
    else { return nil }
    let root = isInverse ? function.map { 1 / $0 } : function
    let atZero = root.values[SampledFunction.numbers.firstIndex(of: 0)!]
    let epsilon = atZero * atZero
    guard epsilon >= 0, epsilon < 1,
      root.distance(to: SampledFunction { ($0 + epsilon).squareRoot() }, from: 0) < 1e-5
    else { return nil }
    return make(.normalized(origin, epsilon: epsilon), shapes[state.expression])
  }

  /// The result of an operation of a state and a constant that is no number; nil if there is none.
  func withConstant(
    _ operation: String, _ state: GraphState, _ constant: GraphValue, isFirst: Bool
  ) throws(VDSQError) -> GraphState? {
    if case .weight(let weight) = constant {
      guard state.isPlain else { return nil }
      switch (operation, expressions[state.expression]) {
      case ("Add", .product): return linear(state, weight)
      case ("Add", .gained(let origin, let epsilon, let gain)):
        guard isVector(weight, of: state) else { return nil }
        return make(
          .norm(origin, epsilon: epsilon, gain: gain, bias: weight), shapes[state.expression])
      case ("Mul", .normalized(let origin, let epsilon)):
        guard isVector(weight, of: state) else { return nil }
        return make(.gained(origin, epsilon: epsilon, gain: weight), shapes[state.expression])
      default: break
      }
    }
    guard let known = try known(constant), known.values.count > 1 else { return nil }
    switch operation {
    case "Add": return try masked(state, known)
    case "Mul": return try kept(state, known)
    case "Div" where isFirst: return try pooled(state, known)
    default: return nil
    }
  }

  /// States times the mask of the texts.
  private func kept(_ state: GraphState, _ mask: KnownTensor) throws(VDSQError) -> GraphState? {
    guard state.isPlain, state.shape.count == 3,
      Grid<Double>.common(state.shape, mask.shape) == state.shape
    else { return nil }
    try charge(state.shape)
    let values = mask.grid.expanded(to: state.shape).elements, wanted = texts.mask
    for i in values.indices where values[i] != wanted[i / state.shape[2]] { return nil }
    return make(.kept(state.expression), state.shape)
  }

  /// A sum over tokens, divided by their number or its root.
  private func pooled(_ state: GraphState, _ counts: KnownTensor) throws(VDSQError) -> GraphState? {
    guard state.isPlain, case .tokenSum(let origin) = expressions[state.expression],
      Grid<Double>.common(state.shape, counts.shape) == state.shape,
      let columns = state.shape.last
    else { return nil }
    let values = counts.grid.expanded(to: state.shape).elements
    for (pooling, power) in [("mean", 1.0), ("mean_sqrt_len", 0.5)] {
      let fits = values.indices.allSatisfy { (i: Int) -> Bool in
        let count = Double(texts.kept(i / columns))
        return (values[i] - (power == 1 ? count : count.squareRoot())).magnitude < 1e-4
      }
      if fits { return make(.pooled(origin, pooling: pooling), state.shape) }
    }
    return nil
  }

  /// Rows over their lengths.
  private func unit(_ state: GraphState, _ length: GraphState) -> GraphState? {
    let origin: Int
    let expected: SampledFunction
    switch expressions[length.expression] {
    case .length(let own): (origin, expected) = (own, .identity)
    case .squaredLength(let own): (origin, expected) = (own, SampledFunction { $0.squareRoot() })
    default: return nil
    }
    guard state.isPlain, origin == state.expression,
      (length.function ?? .identity).distance(to: expected, from: 0.1) < 1e-5,
      length.shape.count == state.shape.count
    else { return nil }
    guard let columns = length.shape.last else { return nil }
    let places = length.grid.elements
    guard columns == 1 || columns == state.shape.last,
      places.indices.allSatisfy({ Int(places[$0]) == $0 / columns })
    else { return nil }
    return make(.unit(origin), state.shape)
  }

  /// A mean, a sum or a length of the elements of a row, or a sum over the tokens of a text.
  func reduction(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> GraphState? {
    guard case .state(let state) = inputs[0], state.places == nil else { return nil }
    let lastAxis = state.shape.count - 1
    if node.operation == "LpNormalization" {
      guard state.isPlain, axis(node.integer("axis") ?? -1, of: state.shape) == lastAxis,
        node.integer("p") ?? 2 == 2
      else { return nil }
      return make(.unit(state.expression), state.shape)
    }
    guard let wanted = try axes(node, inputs.count > 1 ? inputs[1] : nil), wanted.count == 1,
      let axis = axis(wanted[0], of: state.shape)
    else { return nil }
    var shape = state.shape
    if node.integer("keepdims") ?? 1 == 0 { shape.remove(at: axis) } else { shape[axis] = 1 }
    let square = SampledFunction { $0 * $0 }
    let isSquare = state.function.map { $0.distance(to: square) < 1e-6 } ?? false
    let expression: GraphExpression
    switch (node.operation, expressions[state.expression]) {
    case ("ReduceMean", .centered(let origin)) where isSquare && axis == lastAxis:
      expression = .variance(origin)
    case ("ReduceMean", _) where state.function == nil && axis == lastAxis:
      expression = .mean(state.expression)
    case ("ReduceL2", _) where state.function == nil && axis == lastAxis:
      expression = .length(state.expression)
    case ("ReduceSum", _) where isSquare && axis == lastAxis:
      expression = .squaredLength(state.expression)
    case ("ReduceSum", .kept(let origin))
    where state.function == nil && axis == 1 && state.shape.count == 3:
      expression = .tokenSum(origin)
      guard shape.count == 2 else { return nil }
    default: return nil
    }
    return make(expression, shape)
  }
}
