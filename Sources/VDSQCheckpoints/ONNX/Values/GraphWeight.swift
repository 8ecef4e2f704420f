import VDSQFormat

/// A tensor of weights in an ONNX graph, as operations of the graph transform it: transposed, or
/// made of integers and scales.
struct GraphWeight {
  let tensor: ONNXTensor
  /// The shape as the graph sees it.
  private(set) var shape: [Int]
  /// Whether a matrix is the transpose of the stored one.
  private(set) var isTransposed = false
  /// What multiplies each integer, and what is subtracted before; nil for floats.
  private(set) var scales: Scales?

  /// Scales of integers.
  struct Scales {
    /// One, or one for each index of `axis`.
    let factors: [Float]
    /// None, one, or one for each index of `axis`.
    let zeroPoints: [Float]
    var axis: Int
  }

  init(_ tensor: ONNXTensor) {
    self.tensor = tensor
    shape = tensor.shape
  }

  var count: Int { range?.count ?? tensor.count }

  /// The elements of a vector that are used; nil for all.
  private(set) var range: Range<Int>?

  /// A part of a vector.
  func part(_ range: Range<Int>) -> GraphWeight? {
    guard shape.count == 1, self.range == nil, range.upperBound <= count, scales == nil else {
      return nil
    }
    var other = self
    other.range = range
    other.shape = [range.count]
    return other
  }

  /// Whether elements are integers without scales.
  var isRaw: Bool { scales == nil && tensor.element.kind == .integer }

  /// A matrix with its axes exchanged.
  var transposed: GraphWeight? {
    guard shape.count == 2 else { return nil }
    var other = self
    other.shape = shape.reversed()
    other.isTransposed.toggle()
    other.scales?.axis = 1 - (scales?.axis ?? 0)
    return other
  }

  /// The same elements in the same order, in another shape.
  func reshaped(_ shape: [Int]) -> GraphWeight? {
    guard shape.reduce(1, *) == count, !isTransposed, (scales?.factors.count ?? 1) == 1 else {
      return nil
    }
    var other = self
    other.shape = shape
    return other
  }

  /// Integers with scales: one, or one for each index of an axis.
  func scaled(_ factors: [Double], zeroPoints: [Double], axis: Int) -> GraphWeight? {
    guard isRaw, axis == 0 || axis < shape.count,
      factors.count == 1 || factors.count == shape[axis],
      zeroPoints.count <= 1 || zeroPoints.count == shape[axis]
    else { return nil }
    var factors = factors
    if factors.count < zeroPoints.count {
      factors = [Double](repeating: factors[0], count: zeroPoints.count)
    }
    var other = self
    other.scales = Scales(
      factors: factors.map { Float($0) }, zeroPoints: zeroPoints.map { Float($0) }, axis: axis)
    return other
  }

  /// A matrix of integers with other scales of its columns, and the same zero points.
  func rescaled(_ factors: [Double]) -> GraphWeight? {
    guard let scales, shape.count == 2, factors.count == 1 || factors.count == shape[1] else {
      return nil
    }
    var factors = factors
    if factors.count < scales.zeroPoints.count {
      factors = [Double](repeating: factors[0], count: scales.zeroPoints.count)
    }
    var other = self
    other.scales = Scales(
      factors: factors.map { Float($0) }, zeroPoints: scales.zeroPoints, axis: 1)
    return other
  }

  /// The weight of a linear layer in rows of its outputs, `[outputs, inputs]`, from a matrix
  /// `[inputs, outputs]` that states are multiplied by.
  ///
  /// - Parameter outputs: the columns that are wanted.
  func linear(_ name: String, outputs: Range<Int>) -> SourceTensor? {
    guard shape.count == 2, outputs.upperBound <= shape[1] else { return nil }
    let (file, offset) = place(name)
    guard let type = tensor.element.source, scales != nil || tensor.element.kind == .float else {
      return nil
    }
    let inputs = shape[0], size = type.blockSize
    var source = SourceTensor(
      name: name, type: type, shape: [outputs.count, inputs], file: file,
      offset: isTransposed ? offset + outputs.lowerBound * inputs * size : offset)
    if !isTransposed {
      source.storedColumns = SourceTensor.StoredColumns(
        first: outputs.lowerBound, stride: shape[1])
    }
    guard let scales else { return source }
    guard let rows = Self.rows(scales, axis: 1, outputs) else { return nil }
    source.rowScales = rows
    return source
  }

  /// A table, or a part of a vector, as it is stored.
  func table(_ name: String, rows: Range<Int>? = nil) -> SourceTensor? {
    guard let type = tensor.element.source, !isTransposed, !shape.isEmpty,
      scales != nil || tensor.element.kind == .float
    else { return nil }
    let rows = rows ?? 0..<shape[0]
    guard rows.upperBound <= shape[0] else { return nil }
    let skipped = range?.lowerBound ?? 0
    let columns = shape.dropFirst().reduce(1, *)
    let (file, offset) = place(name)
    var source = SourceTensor(
      name: name, type: type, shape: [rows.count] + shape.dropFirst(), file: file,
      offset: offset + (skipped + rows.lowerBound) * columns * type.blockSize)
    guard let scales else { return source }
    guard shape.count == 2, let rowScales = Self.rows(scales, axis: 0, rows) else { return nil }
    source.rowScales = rowScales
    return source
  }

  /// A part of a vector, `[range.count]`.
  func vector(_ name: String, _ range: Range<Int>) -> SourceTensor? {
    guard shape.last == count, scales == nil else { return nil }
    return reshaped([count])?.table(name, rows: range)
  }

  private static func rows(
    _ scales: Scales, axis: Int, _ range: Range<Int>
  ) -> SourceTensor.RowScales? {
    func part(_ values: [Float]) -> [Float] { values.count <= 1 ? values : Array(values[range]) }
    guard scales.factors.count == 1 || scales.axis == axis else { return nil }
    return SourceTensor.RowScales(
      factors: part(scales.factors), zeroPoints: part(scales.zeroPoints))
  }

  private func place(_ name: String) -> (InputFile, Int) {
    switch tensor.place {
    case .file(let file, let offset): (file, offset)
    case .memory(let bytes): (InputFile(name: name, contents: bytes), 0)
    }
  }
}
