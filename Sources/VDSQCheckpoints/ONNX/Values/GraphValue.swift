/// What is known about a value of an ONNX graph.
enum GraphValue {
  /// An input that is left out.
  case absent
  /// A value that does not depend on weights.
  case known(KnownTensor)
  /// Weights.
  case weight(GraphWeight)
  /// A part of what an encoder computes.
  case state(GraphState)
  /// The integers, the scale or the zero point of a state that is quantized when the model runs.
  case quantized(GraphState)
  case quantizationScale(GraphState, factors: [Double])
  case quantizationZeroPoint(GraphState)
  /// What depends on an operation that an encoder does not have.
  case unknown(node: Int, reason: String)
}

/// Elements of what an encoder computes, in another order and shape, with a function of each.
struct GraphState {
  /// The number of the expression.
  let expression: Int
  private(set) var shape: [Int]
  /// The place of each element in the expression; nil if all are in order.
  private(set) var places: [Int32]?
  /// The function of each element; nil for none.
  let function: SampledFunction?

  init(
    _ expression: Int, _ shape: [Int], places: [Int32]? = nil, function: SampledFunction? = nil
  ) {
    self.expression = expression
    self.shape = shape
    self.function = function?.isIdentity ?? true ? nil : function
    let isOrdered = places?.indices.allSatisfy { places![$0] == $0 } ?? true
    self.places = isOrdered ? nil : places
  }

  private init(_ other: GraphState, _ function: SampledFunction) {
    (expression, shape, places) = (other.expression, other.shape, other.places)
    self.function = function.isIdentity ? nil : function
  }

  var count: Int { shape.reduce(1, *) }

  /// The places as a grid.
  var grid: Grid<Int32> {
    Grid(shape: shape, elements: places ?? (0..<Int32(count)).map { $0 })
  }

  /// Whether these are all elements of the expression, unchanged.
  var isPlain: Bool { places == nil && function == nil }

  /// Another function of each element.
  func with(_ function: SampledFunction) -> GraphState {
    GraphState(self, function)
  }

  /// Other places of the same expression.
  func with(_ grid: Grid<Int32>) -> GraphState {
    GraphState(expression, grid.shape, places: grid.elements, function: function)
  }
}
