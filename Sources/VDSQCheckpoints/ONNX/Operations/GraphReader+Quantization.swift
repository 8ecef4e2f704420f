import VDSQFormat

extension GraphReader {
  /// The results of an operation with integers: of weights, or of states that are quantized when
  /// the model runs. Nil for other operations, and those that do not fit.
  func quantization(
    _ node: ONNXNode, _ inputs: [GraphValue]
  ) throws(VDSQError) -> [GraphValue]? {
    switch node.operation {
    case "DequantizeLinear":
      guard inputs.count >= 2, let scale = try known(inputs[1]) else { return nil }
      guard let zero = try zeroPoints(inputs, 2) else { return nil }
      let axis = node.integer("axis") ?? 1
      switch inputs[0] {
      case .weight(let weight):
        return scaled(weight, scale, zero, axis: scale.values.count == 1 ? 0 : axis).map {
          [.weight($0)]
        }
      case .state(let state):
        // Rows of a table of integers.
        guard state.isPlain, case .embedding(let table, let row) = expressions[state.expression],
          scale.values.count == 1, let table = scaled(table, scale, zero, axis: 0)
        else { return nil }
        return [.state(make(.embedding(table, row), state.shape))]
      default: return nil
      }
    case "DynamicQuantizeLinear":
      guard inputs.count == 1, case .state(let state) = inputs[0] else { return nil }
      return [
        .quantized(state), .quantizationScale(state, factors: [1]), .quantizationZeroPoint(state),
      ]
    case "MatMulInteger":
      guard inputs.count >= 2, case .quantized(let state) = inputs[0],
        case .weight(let weight) = inputs[1], weight.isRaw, isZeroPoint(inputs, 2, of: state)
      else { return nil }
      guard let zeros = try zeroPoints(inputs, 3), let rows = try rows(of: state),
        let shifted = weight.scaled([1], zeroPoints: zeros, axis: 1)
      else { return nil }
      return try product(rows, shifted, state.shape).map { [.state($0)] }
    case "Cast":
      // Integers become floats before they are scaled.
      guard inputs.count == 1, case .state(let state) = inputs[0],
        ONNXElement(rawValue: node.integer("to") ?? 0)?.kind == .float
      else { return nil }
      return [.state(state)]
    case "Mul": return try scaledProduct(inputs)
    default: return nil
    }
  }

  /// The zero points of weights, none if all are zero; nil if the input is there, but no constant.
  func zeroPoints(_ inputs: [GraphValue], _ place: Int) throws(VDSQError) -> [Double]? {
    guard inputs.count > place else { return [] }
    if case .absent = inputs[place] { return [] }
    guard let known = try known(inputs[place]) else { return nil }
    return known.values.allSatisfy { $0 == 0 } ? [] : known.values
  }

  /// Whether an input is the zero point of a state, or left out.
  private func isZeroPoint(_ inputs: [GraphValue], _ place: Int, of state: GraphState) -> Bool {
    guard inputs.count > place else { return false }
    guard case .quantizationZeroPoint(let other) = inputs[place] else { return false }
    return other.expression == state.expression
  }

  /// A product of the scales of a state and a weight, or of such a product and of integers.
  private func scaledProduct(_ inputs: [GraphValue]) throws(VDSQError) -> [GraphValue]? {
    guard inputs.count == 2 else { return nil }
    for (a, b) in [(0, 1), (1, 0)] {
      guard case .quantizationScale(let state, let factors) = inputs[a] else { continue }
      if factors == [1], let scale = try known(inputs[b]) {
        return [.quantizationScale(state, factors: scale.values)]
      }
      guard case .state(let integers) = inputs[b], integers.isPlain,
        case .product(let rows, let weight) = expressions[integers.expression],
        rows.expression == state.expression, weight.scales?.factors.allSatisfy({ $0 == 1 }) == true,
        let scaled = weight.rescaled(factors)
      else { return nil }
      return try product(rows, scaled, integers.shape.dropLast() + [scaled.shape[0]]).map {
        [.state($0)]
      }
    }
    return nil
  }

  /// Integers with scales: a number, or a vector along an axis.
  ///
  /// - Parameter axis: nil if the shape of the scales tells.
  func scaled(
    _ weight: GraphWeight, _ scale: KnownTensor, _ zeros: [Double], axis: Int?
  ) -> GraphWeight? {
    var place = axis ?? 0
    if scale.values.count > 1, axis == nil || scale.shape.count == weight.shape.count {
      // Broadcasting aligns the last axes.
      guard let own = scale.shape.firstIndex(where: { $0 > 1 }),
        scale.shape[own] == scale.values.count
      else { return nil }
      place = own + weight.shape.count - scale.shape.count
    } else if place < 0 {
      place += weight.shape.count
    }
    guard place >= 0, scale.kind == .float, !scale.values.isEmpty else { return nil }
    return weight.scaled(scale.values, zeroPoints: zeros, axis: place)
  }
}
