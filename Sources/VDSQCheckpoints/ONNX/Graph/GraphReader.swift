import VDSQFormat

/// Follows the operations of an ONNX graph.
///
/// What does not depend on weights (shapes, positions, masks) is computed for two short texts. What
/// does is an expression of an encoder: an embedding, a norm, a linear layer, attention. So the
/// way in which an exporter writes a shape or a mask does not matter, and what an encoder does not
/// have is known by its operation.
final class GraphReader {
  let model: ONNXModel
  let texts: SampleTexts
  private var values: [String: GraphValue] = [:]
  private(set) var expressions: [GraphExpression] = []
  /// The shapes of the expressions.
  private(set) var shapes: [[Int]] = []
  /// The operations that made the expressions.
  private var origins: [Int] = []
  private var current = 0
  private var work = 0

  /// The most axes of a value.
  static let mostAxes = 16
  /// The most elements that all operations compute together; with short texts, an encoder of 24
  /// layers needs a tenth. Scores of long ones, where the graph fixes their length, need more.
  private var mostWork: Int {
    max(1 << 25, min(texts.count * texts.tokens * texts.tokens << 10, 1 << 29))
  }
  /// The most elements of a value.
  private static let mostElements = 1 << 22
  /// The most elements of a constant that is read as a number, not as a weight.
  private static let mostKnown = 1 << 20

  /// - Throws: `badInput` if the graph is malformed. Operations that an encoder does not have are
  ///   no error before their result is used.
  init(_ model: ONNXModel) throws(VDSQError) {
    self.model = model
    texts = try SampleTexts(model)
    for tensor in model.initializers.values { values[tensor.name] = try constant(tensor) }
    for port in model.inputs where values[port.name] == nil {
      guard let value = texts.input(port.name) else {
        throw .badInput(
          "\(model.file.path): input \(port.name) is not supported; supported: input_ids, "
            + "attention_mask, token_type_ids, position_ids")
      }
      values[port.name] = .known(value)
    }
    try follow()
  }

  private func follow() throws(VDSQError) {
    var last: [String: Int] = [:]
    for (index, node) in model.nodes.enumerated() {
      for name in node.inputs { last[name] = index }
    }
    for port in model.outputs { last[port.name] = .max }
    for (index, node) in model.nodes.enumerated() {
      current = index
      var inputs: [GraphValue] = []
      for name in node.inputs { inputs.append(name.isEmpty ? .absent : try value(name)) }
      let results = try results(of: node, inputs)
      for (place, name) in node.outputs.enumerated() where !name.isEmpty {
        values[name] = place < results.count ? results[place] : misfit("its further outputs")
      }
      for name in node.inputs where last[name] == index { values[name] = nil }
    }
  }

  /// - Throws: `badInput` if no earlier operation made the value.
  func value(_ name: String) throws(VDSQError) -> GraphValue {
    guard let value = values[name] else {
      throw .badInput("\(model.file.path): value \(name) is made by no earlier operation")
    }
    return value
  }

  private func results(of node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> [GraphValue]
  {
    let first = inputs.compactMap { input -> (Int, String)? in
      if case .unknown(let node, let reason) = input { (node, reason) } else { nil }
    }.min { $0.0 < $1.0 }
    if let first { return [.unknown(node: first.0, reason: first.1)] }
    let results: [GraphValue]? =
      switch node.domain {
      case "", "ai.onnx": try standard(node, inputs)
      case "com.microsoft": try fused(node, inputs)
      default: nil
      }
    return results ?? [misfit("")]
  }

  private func misfit(_ reason: String) -> GraphValue { .unknown(node: current, reason: reason) }

  // MARK: Values

  /// A constant of the graph: a number, or a weight.
  func constant(_ tensor: ONNXTensor) throws(VDSQError) -> GraphValue {
    let isNumber =
      tensor.count == 1
      || tensor.element == .int64 || tensor.element == .int32 || tensor.element == .bool
    if isNumber, let known = try tensor.known(atMost: Self.mostKnown) {
      try charge(known.shape)
      return .known(known)
    }
    return .weight(GraphWeight(tensor))
  }

  /// The numbers of a value; nil if it depends on weights, or is a large one.
  func known(_ value: GraphValue?) throws(VDSQError) -> KnownTensor? {
    switch value {
    case .known(let known): return known
    case .weight(let weight)
    where weight.scales == nil && !weight.isTransposed && weight.range == nil:
      guard let known = try weight.tensor.known(atMost: Self.mostKnown) else { return nil }
      try charge(known.shape)
      return KnownTensor(known.grid.reshaped(weight.shape), known.kind)
    default: return nil
    }
  }

  /// Counts the elements of a value before they are computed.
  ///
  /// - Throws: `badInput` if they are more than an encoder has.
  func charge(_ shape: [Int]) throws(VDSQError) {
    guard shape.count <= Self.mostAxes else { throw tooMuch }
    var count = 1
    for length in shape {
      // An empty axis makes the others no smaller.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(length, 1))
      guard length >= 0, !overflow, product <= Self.mostElements else { throw tooMuch }
      count = product
    }
    work += count
    guard work <= mostWork else { throw tooMuch }
  }

  private var tooMuch: VDSQError {
    .badInput(
      "\(model.file.path): operation "
        + "\(model.nodes.isEmpty ? "" : model.nodes[current].description): "
        + "larger than that of an encoder"
        + (texts.isFixed
          ? "; export it with axes of any length instead of [\(texts.count), \(texts.tokens)]" : "")
    )
  }

  // MARK: Expressions

  /// A new expression, and the state that is all of it.
  func make(_ expression: GraphExpression, _ shape: [Int]) -> GraphState {
    expressions.append(expression)
    shapes.append(shape)
    origins.append(current)
    return GraphState(expressions.count - 1, shape)
  }

  /// An error about what an expression is where an encoder has something else.
  func misfit(_ expression: Int, _ wanted: String) -> VDSQError {
    misfit(node: origins[expression], wanted)
  }

  /// An error about an operation.
  func misfit(node: Int, _ reason: String) -> VDSQError {
    .badInput(
      "\(model.file.path): operation \(model.nodes[node].description) does not fit an encoder "
        + "that is supported" + (reason.isEmpty ? "" : ": \(reason)"))
  }
}
