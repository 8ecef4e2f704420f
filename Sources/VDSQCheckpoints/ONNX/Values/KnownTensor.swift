/// A tensor of an ONNX graph whose values do not depend on weights: shapes, positions, masks. It is
/// computed for two short texts.
struct KnownTensor {
  /// What a division of elements is, and what a conversion rounds to.
  enum Kind { case float, integer, boolean }

  private(set) var grid: Grid<Double>
  private(set) var kind: Kind

  init(_ grid: Grid<Double>, _ kind: Kind) {
    self.grid = grid
    self.kind = kind
  }

  init(integers values: [Int]) {
    self.init(Grid(shape: [values.count], elements: values.map(Double.init)), .integer)
  }

  var shape: [Int] { grid.shape }
  var values: [Double] { grid.elements }

  /// The value of a tensor of one element.
  var scalar: Double? { values.count == 1 ? values[0] : nil }

  /// The elements as integers; those beyond the range of `Int` are its limits. Nil for NaN.
  var integers: [Int]? {
    var result: [Int] = []
    for value in values {
      guard !value.isNaN else { return nil }
      result.append(value >= 0x1p62 ? .max : value <= -0x1p62 ? .min : Int(value))
    }
    return result
  }

  func cast(to kind: Kind) -> KnownTensor {
    switch kind {
    case .float: KnownTensor(grid, .float)
    case .integer: KnownTensor(grid.map { $0.isFinite ? $0.rounded(.towardZero) : 0 }, .integer)
    case .boolean: KnownTensor(grid.map { $0 == 0 ? 0 : 1 }, .boolean)
    }
  }

  /// A function of each element.
  func map(_ kind: Kind? = nil, _ body: (Double) -> Double) -> KnownTensor {
    KnownTensor(grid.map(body), kind ?? self.kind)
  }

  /// A function of the elements of two tensors that are expanded to a common shape; nil if there is
  /// none.
  static func combined(
    _ a: KnownTensor, _ b: KnownTensor, _ kind: Kind, _ body: (Double, Double) -> Double
  ) -> KnownTensor? {
    guard let shape = Grid<Double>.common(a.shape, b.shape) else { return nil }
    let x = a.grid.expanded(to: shape).elements, y = b.grid.expanded(to: shape).elements
    return KnownTensor(
      Grid(shape: shape, elements: zip(x, y).map { body($0, $1) }), kind)
  }
}
