import VDSQFormat

extension GraphReader {
  /// The results of a standard operation; nil if it does not fit.
  func standard(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> [GraphValue]? {
    if node.operation == "Constant" { return try constant(node).map { [$0] } }
    if let results = try quantization(node, inputs) { return results }
    guard inputs.contains(where: \.isState) else { return try constantResults(node, inputs) }
    return try stateResults(node, inputs)
  }

  private func constantResults(
    _ node: ONNXNode, _ inputs: [GraphValue]
  ) throws(VDSQError) -> [GraphValue]? {
    if let state = try embedding(node, inputs) { return [.state(state)] }
    if node.operation == "Shape" || node.operation == "Size" {
      return try inputs.first.flatMap { (input) throws(VDSQError) in
        try knownShape(node, input).map { [.known($0)] }
      }
    }
    var inputs = inputs
    if node.operation == "Mul", inputs.count == 2, case .weight(let weight) = inputs[1],
      weight.isRaw
    {
      inputs.swapAt(0, 1)
    }
    if case .weight(let weight)? = inputs.first,
      let result = try transformed(weight, node, inputs)
    {
      return [result]
    }
    var all: [KnownTensor?] = []
    for input in inputs {
      let known = try known(input)
      if known == nil {
        guard case .absent = input else { return nil }
      }
      all.append(known)
    }
    return try computed(node, all)?.map { .known($0) }
  }

  private func stateResults(
    _ node: ONNXNode, _ inputs: [GraphValue]
  ) throws(VDSQError) -> [GraphValue]? {
    switch node.operation {
    case "Shape", "Size": return try knownShape(node, inputs[0]).map { [.known($0)] }
    case "MatMul": return try matrixProduct(inputs).map { [.state($0)] }
    case "Gemm": return try gemm(node, inputs).map { [.state($0)] }
    case "LayerNormalization": return try layerNorm(node, inputs).map { [.state($0)] }
    case "Softmax": return try softmax(node, inputs).map { [.state($0)] }
    case "Where": return try chosen(inputs).map { [.state($0)] }
    case "ReduceMean", "ReduceSum", "ReduceL2", "LpNormalization":
      return try reduction(node, inputs).map { [.state($0)] }
    default: break
    }
    if let states = try views(node, inputs) { return states.map { .state($0) } }
    if let state = try elementwise(node, inputs) { return [.state(state)] }
    return nil
  }

  private func constant(_ node: ONNXNode) throws(VDSQError) -> GraphValue? {
    if let tensor = node.tensors["value"] { return try constant(tensor) }
    if let value = node.integer("value_int") {
      return .known(KnownTensor(Grid(Double(value)), .integer))
    }
    if let value = node.number("value_float") { return .known(KnownTensor(Grid(value), .float)) }
    if let values = node.list("value_ints"), !values.isEmpty {
      return .known(KnownTensor(integers: values))
    }
    if let values = node.numbers("value_floats") {
      return .known(KnownTensor(Grid(shape: [values.count], elements: values), .float))
    }
    return nil
  }

  private func knownShape(
    _ node: ONNXNode, _ input: GraphValue
  ) throws(VDSQError) -> KnownTensor? {
    guard let shape = input.shape else { return nil }
    if node.operation == "Size" {
      return KnownTensor(Grid(Double(shape.reduce(1, *))), .integer)
    }
    func place(_ value: Int) -> Int {
      min(max(value < 0 ? value + shape.count : value, 0), shape.count)
    }
    let start = place(node.integer("start") ?? 0), end = place(node.integer("end") ?? .max)
    return KnownTensor(integers: Array(shape[start..<max(start, end)]))
  }

  /// A weight that an operation with constants transforms; nil for other operations.
  private func transformed(
    _ weight: GraphWeight, _ node: ONNXNode, _ inputs: [GraphValue]
  ) throws(VDSQError) -> GraphValue? {
    switch node.operation {
    case "Identity": return .weight(weight)
    case "Cast", "CastLike":
      guard
        node.operation == "CastLike"
          || ONNXElement(rawValue: node.integer("to") ?? 0)?.kind == .float
      else { return nil }
      return .weight(weight)
    case "Transpose":
      let order = node.list("perm") ?? [1, 0]
      return order == [1, 0] ? weight.transposed.map { .weight($0) } : nil
    case "Reshape", "Squeeze", "Unsqueeze", "Flatten":
      guard weight.shape.count <= 2, let shape = try viewShape(node, inputs, of: weight.shape)
      else {
        return nil
      }
      return weight.reshaped(shape).map { .weight($0) }
    case "Mul" where weight.isRaw && inputs.count == 2:
      guard let scale = try known(inputs[1]) else { return nil }
      return scaled(weight, scale, [], axis: nil).map { .weight($0) }
    default: return nil
    }
  }

  /// Rows of a table for the tokens of the sample texts.
  private func embedding(
    _ node: ONNXNode, _ inputs: [GraphValue]
  ) throws(VDSQError) -> GraphState? {
    guard node.operation == "Gather", inputs.count == 2, node.integer("axis") ?? 0 == 0,
      case .weight(let table) = inputs[0], table.shape.count == 2,
      let ids = try known(inputs[1]), let row = row(of: ids)
    else { return nil }
    try charge(ids.shape + [table.shape[1]])
    return make(.embedding(table, row), ids.shape + [table.shape[1]])
  }

  /// Which rows of a table some ids choose; nil if they are of no known kind.
  func row(of ids: KnownTensor) -> EmbeddingRow? {
    let count = texts.count * texts.tokens
    guard ids.shape.last == texts.tokens,
      ids.values.count == count || ids.values.count == texts.tokens
    else { return nil }
    if ids.values == texts.ids { return .word }
    if ids.values == texts.types { return .type }
    if ids.values.allSatisfy({ $0 == 0 }) { return .firstType }
    let first = ids.values[0]
    let isCounted = ids.values.indices.allSatisfy {
      ids.values[$0] == first + Double($0 % texts.tokens)
    }
    return isCounted && first >= 0 && first < 0x1p20 ? .position(first: Int(first)) : nil
  }
}

extension GraphValue {
  var isState: Bool {
    switch self {
    case .state, .quantized, .quantizationScale, .quantizationZeroPoint: true
    case .absent, .known, .weight, .unknown: false
    }
  }

  /// The shape; nil if it is not known.
  var shape: [Int]? {
    switch self {
    case .known(let known): known.shape
    case .weight(let weight): weight.shape
    case .state(let state), .quantized(let state): state.shape
    case .absent, .unknown, .quantizationScale, .quantizationZeroPoint: nil
    }
  }
}
