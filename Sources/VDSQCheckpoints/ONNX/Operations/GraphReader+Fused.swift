import VDSQFormat

/// The operations into which ONNX Runtime fuses those of encoders (domain com.microsoft).
extension GraphReader {
  /// The results of an operation of ONNX Runtime; nil if it does not fit.
  func fused(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> [GraphValue]? {
    switch node.operation {
    case "Gelu", "QuickGelu", "FastGelu", "BiasGelu":
      return try activation(node, inputs).map { [.state($0)] }
    case "SkipLayerNormalization": return try skipNorm(node, inputs)
    case "EmbedLayerNormalization": return try embeddingNorm(node, inputs)
    case "Attention": return try attention(node, inputs).map { [.state($0)] }
    case "MultiHeadAttention": return try multiHeadAttention(node, inputs).map { [.state($0)] }
    case "DynamicQuantizeMatMul":
      return try integerProduct(
        inputs, scale: 2, zero: 3, bias: 4
      ).map { [.state($0)] }
    case "MatMulIntegerToFloat":
      guard inputs.count >= 4, case .quantized(let state) = inputs[0],
        case .quantizationScale(let other, [1]) = inputs[2], other.expression == state.expression,
        inputs.count > 4, case .quantizationZeroPoint = inputs[4]
      else { return nil }
      return try integerProduct([.state(state)] + inputs.dropFirst(), scale: 3, zero: 5, bias: 6)
        .map { [.state($0)] }
    default: return nil
    }
  }

  private func optional(_ inputs: [GraphValue], _ place: Int) -> GraphValue? {
    guard inputs.count > place else { return nil }
    if case .absent = inputs[place] { return nil }
    return inputs[place]
  }

  private func activation(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> GraphState?
  {
    guard case .state(var state)? = inputs.first else { return nil }
    if let bias = optional(inputs, 1) {
      guard case .weight(let bias) = bias, let made = linear(state, bias) else { return nil }
      state = made
    }
    switch node.operation {
    case "FastGelu": return state.applying(SampledFunction.tanhGELU)
    case "QuickGelu":
      guard node.number("alpha") ?? 1.702 == 1, let sigmoid = Self.unary["Sigmoid"] else {
        return nil
      }
      return state.applying { $0 * sigmoid($0) }
    default: return state.applying(Self.unaryGELU)
    }
  }

  private func skipNorm(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> [GraphValue]?
  {
    guard inputs.count >= 4, case .state(var state) = inputs[0], case .state(var skip) = inputs[1],
      case .weight(let gain) = inputs[2], case .weight(let bias) = inputs[3]
    else { return nil }
    if let own = optional(inputs, 4) {
      // The bias is that of the linear layer that one of the two is.
      guard case .weight(let own) = own else { return nil }
      if let made = linear(state, own) {
        state = made
      } else if let made = linear(skip, own) {
        skip = made
      } else {
        return nil
      }
    }
    guard let sum = try sum(state, skip),
      let result = norm(sum, gain, bias, epsilon: node.number("epsilon") ?? 1e-12)
    else { return nil }
    return [.state(result), .absent, .absent, .state(sum)]
  }

  private func embeddingNorm(
    _ node: ONNXNode, _ inputs: [GraphValue]
  ) throws(VDSQError) -> [GraphValue]? {
    guard inputs.count >= 7, let ids = try known(inputs[0]), row(of: ids) == .word,
      case .weight(let words) = inputs[2], case .weight(let positions) = inputs[3],
      case .weight(let gain) = inputs[5], case .weight(let bias) = inputs[6]
    else { return nil }
    var first: EmbeddingRow? = .position(first: 0)
    if let own = optional(inputs, 8) { first = try known(own).flatMap(row) }
    guard let first, case .position = first else { return nil }
    var tables = [(words, EmbeddingRow.word), (positions, first)]
    if let own = optional(inputs, 4) {
      guard case .weight(let types) = own else { return nil }
      var row: EmbeddingRow? = .firstType
      if let segments = optional(inputs, 1) { row = try known(segments).flatMap(self.row) }
      guard let row, row == .type || row == .firstType else { return nil }
      tables.append((types, row))
    }
    var terms: [Int] = []
    let shape = [texts.count, texts.tokens, words.shape.last ?? 0]
    for (table, row) in tables {
      guard table.shape.count == 2, table.shape[1] == shape[2] else { return nil }
      terms.append(make(.embedding(table, row), shape).expression)
    }
    try charge(shape)
    guard
      let result = norm(
        make(.sum(terms), shape), gain, bias, epsilon: node.number("epsilon") ?? 1e-12)
    else { return nil }
    // The second result is the lengths of the texts, if there is a mask.
    var lengths: GraphValue = .absent
    if optional(inputs, 7) != nil {
      lengths = .known(KnownTensor(integers: (0..<texts.count).map(texts.kept)))
    }
    return [.state(result), lengths]
  }

  /// Whether a mask of attention is that of the texts: for each token, or their lengths.
  private func isMask(_ value: GraphValue?) throws(VDSQError) -> Bool {
    guard let value else { return !model.inputs.contains { $0.name == "attention_mask" } }
    guard let mask = try known(value) else { return false }
    let lengths = (0..<texts.count).map { Double(texts.kept($0)) }
    return mask.values == texts.mask && mask.shape.count == 2 || mask.values == lengths
  }

  /// Attention with the projections of queries, keys and values beside each other.
  private func attention(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> GraphState?
  {
    guard inputs.count >= 3, case .state(let state) = inputs[0],
      case .weight(let weight) = inputs[1],
      case .weight(let bias) = inputs[2], let rows = try rows(of: state), !rows.ofTexts,
      let count = node.integer("num_heads"), count > 0, weight.shape.count == 2,
      count <= weight.shape[1], weight.shape[1] % (3 * count) == 0,
      node.list("qkv_hidden_sizes") == nil,
      node.integer("unidirectional") ?? 0 == 0, node.integer("do_rotary") ?? 0 == 0,
      (4..<7).allSatisfy({ optional(inputs, $0) == nil }), try isMask(optional(inputs, 3)),
      let product = try product(rows, weight, state.shape), let linear = linear(product, bias)
    else { return nil }
    let width = weight.shape[1] / 3
    let parts = (0..<3).map {
      Heads(linear: linear.expression, columns: $0 * width..<($0 + 1) * width, count: count)
    }
    return try context(node, parts)
  }

  private func multiHeadAttention(
    _ node: ONNXNode, _ inputs: [GraphValue]
  ) throws(VDSQError) -> GraphState? {
    guard inputs.count >= 3, let count = node.integer("num_heads"), count > 0,
      node.integer("unidirectional") ?? 0 == 0
    else { return nil }
    var states: [GraphState] = []
    for input in inputs[..<3] {
      guard case .state(let state) = input else { return nil }
      states.append(state)
    }
    if let bias = optional(inputs, 3) {
      guard case .weight(let bias) = bias, bias.shape.count == 1, bias.count % 3 == 0 else {
        return nil
      }
      for (i, state) in states.enumerated() {
        let width = bias.count / 3
        guard let part = bias.part(i * width..<(i + 1) * width), let made = linear(state, part)
        else { return nil }
        states[i] = made
      }
    }
    let bias = try optional(inputs, 5).flatMap { (value) throws(VDSQError) in try known(value) }
    guard bias != nil || optional(inputs, 5) == nil else { return nil }
    guard (6..<8).allSatisfy({ optional(inputs, $0) == nil }),
      states.allSatisfy({ state in
        guard case .linear(let rows, _, _) = expressions[state.expression] else { return false }
        return state.isPlain && !rows.ofTexts && state.shape.last! % count == 0
      }),
      optional(inputs, 4) == nil && bias != nil ? true : try isMask(optional(inputs, 4))
    else { return nil }
    let parts = states.map {
      Heads(linear: $0.expression, columns: 0..<$0.shape.last!, count: count)
    }
    if let bias {
      let shape = [texts.count, count, texts.tokens, texts.tokens]
      let scores = make(.scores(parts[0], parts[1], factor: 1), shape)
      guard try masked(scores, bias) != nil else { return nil }
    }
    return try context(node, parts)
  }

  /// The means of values, with heads beside each other.
  private func context(_ node: ONNXNode, _ parts: [Heads]) throws(VDSQError) -> GraphState? {
    let (count, size) = (parts[2].count, parts[2].size)
    let own = node.number("scale") ?? 0
    let factor = own == 0 ? 1 / Double(parts[0].size).squareRoot() : own
    let shape = [texts.count, count, texts.tokens, size]
    try charge(shape)
    let state = make(.context(parts[0], parts[1], parts[2], factor: factor), shape)
    let grid = state.grid.transposed([0, 2, 1, 3])
    return state.with(grid.reshaped([texts.count, texts.tokens, count * size]))
  }

  /// The product of a state that is quantized when the model runs with a matrix of integers.
  private func integerProduct(
    _ inputs: [GraphValue], scale: Int, zero: Int, bias: Int
  ) throws(VDSQError) -> GraphState? {
    guard case .state(let state)? = inputs.first, inputs.count > scale,
      case .weight(let raw) = inputs[1], let scale = try known(inputs[scale])
    else { return nil }
    guard let zeros = try zeroPoints(inputs, zero), let rows = try rows(of: state),
      let weight = scaled(raw, scale, zeros, axis: scale.values.count == 1 ? 0 : 1),
      let product = try product(rows, weight, state.shape)
    else { return nil }
    guard let bias = optional(inputs, bias) else { return product }
    guard case .weight(let bias) = bias else { return nil }
    return linear(product, bias)
  }
}
