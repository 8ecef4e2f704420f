import Glibc
import VDSQFormat

extension GraphReader {
  /// Functions of one number, by the names of operations.
  static let unary: [String: @Sendable (Double) -> Double] = [
    "Abs": { abs($0) }, "Ceil": { $0.rounded(.up) }, "Erf": { erf($0) }, "Exp": { exp($0) },
    "Floor": { $0.rounded(.down) }, "IsNaN": { $0.isNaN ? 1 : 0 }, "Log": { log($0) },
    "Neg": { -$0 }, "Not": { $0 == 0 ? 1 : 0 }, "Reciprocal": { 1 / $0 }, "Relu": { max($0, 0) },
    "Round": { $0.rounded(.toNearestOrEven) }, "Sigmoid": { 1 / (1 + exp(-$0)) },
    "Sign": { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }, "Sqrt": { $0.squareRoot() }, "Tanh": { tanh($0) },
  ]

  /// Functions of two numbers, by the names of operations. `Div` of integers is rounded.
  static let binary: [String: @Sendable (Double, Double) -> Double] = [
    "Add": { $0 + $1 }, "Sub": { $0 - $1 }, "Mul": { $0 * $1 }, "Div": { $0 / $1 },
    "Pow": { pow($0, $1) }, "Max": { max($0, $1) }, "Min": { min($0, $1) },
    "And": { $0 != 0 && $1 != 0 ? 1 : 0 }, "Or": { $0 != 0 || $1 != 0 ? 1 : 0 },
    "Xor": { ($0 != 0) != ($1 != 0) ? 1 : 0 }, "Equal": { $0 == $1 ? 1 : 0 },
    "Less": { $0 < $1 ? 1 : 0 }, "LessOrEqual": { $0 <= $1 ? 1 : 0 },
    "Greater": { $0 > $1 ? 1 : 0 }, "GreaterOrEqual": { $0 >= $1 ? 1 : 0 },
  ]

  /// The binary operations whose results are true or false.
  static let comparisons: Set = [
    "And", "Or", "Xor", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual",
  ]

  /// The result of an operation on each element of a state; nil if it does not fit.
  func elementwise(_ node: ONNXNode, _ inputs: [GraphValue]) throws(VDSQError) -> GraphState? {
    guard inputs.count <= 3 else { return nil }
    if inputs.count == 1, case .state(let state) = inputs[0] {
      if node.operation == "Gelu" {
        return state.applying(
          node.texts["approximate"] == "tanh" ? SampledFunction.tanhGELU : Self.unaryGELU)
      }
      if node.operation == "Softplus" { return nil }
      return Self.unary[node.operation].map { state.applying($0) }
    }
    if node.operation == "Clip" { return try clipped(node, inputs) }
    guard inputs.count == 2, let body = Self.binary[node.operation] else { return nil }
    if case .state(let a) = inputs[0], case .state(let b) = inputs[1] {
      if a.places != nil { try charge(a.shape) }
      if a.expression == b.expression, a.shape == b.shape, a.places == b.places {
        return a.with(
          (a.function ?? .identity).combined(with: b.function ?? .identity, body))
      }
      return try combined(node.operation, a, b)
    }
    for (own, other) in [(0, 1), (1, 0)] {
      guard case .state(let state) = inputs[own] else { continue }
      if let result = try withConstant(node.operation, state, inputs[other], isFirst: own == 0) {
        return result
      }
      // A number that is broadcast, of no more axes than the state.
      guard let number = try known(inputs[other]), let scalar = number.scalar,
        number.shape.count <= state.shape.count
      else { return nil }
      return state.applying { own == 0 ? body($0, scalar) : body(scalar, $0) }
    }
    return nil
  }

  @Sendable static func unaryGELU(_ x: Double) -> Double {
    0.5 * x * (1 + erf(x / 2.0.squareRoot()))
  }

  private func clipped(
    _ node: ONNXNode, _ inputs: [GraphValue]
  ) throws(VDSQError) -> GraphState? {
    guard case .state(let state) = inputs[0] else { return nil }
    func limit(_ place: Int, _ standard: Double) throws(VDSQError) -> Double? {
      guard inputs.count > place else { return standard }
      if case .absent = inputs[place] { return standard }
      return try known(inputs[place])?.scalar
    }
    // Before opset 11 the limits are attributes.
    guard let low = try limit(1, node.number("min") ?? -.infinity),
      let high = try limit(2, node.number("max") ?? .infinity)
    else { return nil }
    return state.applying { min(max($0, low), high) }
  }

  /// `Where` of a state: numbers that it has anyway, or scores of padding.
  func chosen(_ inputs: [GraphValue]) throws(VDSQError) -> GraphState? {
    guard inputs.count == 3 else { return nil }
    if case .state(let condition) = inputs[0], case .state(let state) = inputs[2],
      condition.expression == state.expression, condition.shape == state.shape,
      condition.places == state.places, let number = try known(inputs[1])?.scalar
    {
      let own = state.function ?? .identity
      return state.with(
        (condition.function ?? .identity).combined(with: own) { $0 != 0 ? number : $1 })
    }
    guard let condition = try known(inputs[0]) else { return nil }
    for (own, other) in [(1, 2), (2, 1)] {
      guard case .state(let state) = inputs[own], let fill = try known(inputs[other])?.scalar else {
        continue
      }
      let bias = condition.map(.float) { ($0 != 0) == (own == 1) ? 0 : fill }
      return try masked(state, bias)
    }
    return nil
  }
}

extension GraphState {
  /// A function of each element.
  func applying(_ body: (Double) -> Double) -> GraphState {
    with((function ?? .identity).map(body))
  }
}
