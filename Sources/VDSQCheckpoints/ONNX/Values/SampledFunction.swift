import Glibc

/// A function of each element of a state, by its values at some numbers.
///
/// Exporters write an activation function as operations in many orders and forms. Values at the
/// same numbers tell what they compute together.
struct SampledFunction: Equatable {
  /// The numbers at which functions are known.
  static let numbers: [Double] = [
    -100, -10, -6, -4, -3, -2.5, -2, -1.5, -1, -0.75, -0.5, -0.25, -0.1, 0, 0.1, 0.25, 0.5, 0.75, 1,
    1.5,
    2, 2.5, 3, 4, 6, 10, 100,
  ]

  let values: [Double]

  init(_ values: [Double]) { self.values = values }

  init(_ body: (Double) -> Double) { values = Self.numbers.map(body) }

  static let identity = SampledFunction { $0 }

  func map(_ body: (Double) -> Double) -> SampledFunction { SampledFunction(values.map(body)) }

  func combined(
    with other: SampledFunction, _ body: (Double, Double) -> Double
  ) -> SampledFunction {
    SampledFunction(zip(values, other.values).map { body($0, $1) })
  }

  /// The largest difference to another function, where both are numbers.
  func distance(to other: SampledFunction, from first: Double = -.infinity) -> Double {
    var largest = 0.0
    for (i, number) in Self.numbers.enumerated() where number >= first {
      let difference = (values[i] - other.values[i]).magnitude
      guard !difference.isNaN else { return .infinity }
      largest = max(largest, difference)
    }
    return largest
  }

  /// Whether the function leaves elements as they are.
  var isIdentity: Bool { distance(to: .identity) < 1e-6 }

  /// The factor if the function multiplies by one.
  var factor: Double? {
    let factor = values[Self.numbers.firstIndex(of: 1)!]
    let isLinear = zip(values, Self.numbers).allSatisfy {
      ($0 - factor * $1).magnitude <= 1e-5 * factor.magnitude * max($1.magnitude, 1)
    }
    return isLinear && factor.isFinite ? factor : nil
  }

  // MARK: Activation functions

  /// The activation functions of encoders, by the names of configurations.
  private static let activations: [(name: String, function: SampledFunction)] = [
    ("gelu", SampledFunction { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }),
    ("gelu_new", SampledFunction(tanhGELU)), ("relu", SampledFunction { max($0, 0) }),
    ("silu", SampledFunction { $0 / (1 + exp(-$0)) }), ("tanh", SampledFunction { tanh($0) }),
    ("identity", .identity),
  ]

  /// GELU by a hyperbolic tangent.
  static func tanhGELU(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }

  /// The name of the activation function that this is. Constants of half precision change a value
  /// by 1e-4; the two forms of GELU differ by 5e-4.
  var activation: String? {
    let nearest = Self.activations.min {
      distance(to: $0.function) < distance(to: $1.function)
    }!
    return distance(to: nearest.function) <= 2.4e-4 ? nearest.name : nil
  }
}
