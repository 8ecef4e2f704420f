package import VDSQInference

/// Hidden states of texts: `[rows, columns]` floats, row-major, one text per row.
///
/// A row consists of the model's vector and one block of the same size for each intermediate
/// feature:
///
///     | vector (blockSize) | feature 0 (blockSize) | feature 1 (blockSize) | ...
package struct FeatureMatrix: Sendable {
  /// The layout of a row.
  package struct Layout: Sendable, Equatable {
    /// The number of columns of the model's vector, and of each block behind it.
    package let blockSize: Int
    /// The intermediate features of the blocks behind the vector, in order.
    package let intermediateFeatures: [IntermediateFeature]

    /// A layout of `blockSize * (intermediateFeatures.count + 1)` columns.
    package init(blockSize: Int, intermediateFeatures: [IntermediateFeature] = []) {
      self.blockSize = blockSize
      self.intermediateFeatures = intermediateFeatures
    }

    /// The layout of an encoder's states.
    package init(of encoder: TextEncoder) {
      self.init(
        blockSize: encoder.dimensions / (encoder.intermediateFeatures.count + 1),
        intermediateFeatures: encoder.intermediateFeatures)
    }

    /// The model's vector, and the intermediate features.
    package var blocks: Int { intermediateFeatures.count + 1 }
    /// The number of columns of a row: those of all blocks.
    package var columns: Int { blockSize * blocks }

    /// The layout with the first intermediate features alone.
    package func prefix(features count: Int) -> Layout {
      Layout(
        blockSize: blockSize, intermediateFeatures: Array(intermediateFeatures.prefix(count)))
    }
  }

  /// The blocks of each row.
  package let layout: Layout
  /// `rows * columns` elements.
  package let values: [Float]

  /// The number of columns: the model's vector and the intermediate features.
  package var columns: Int { layout.columns }
  /// The number of rows, one per text.
  package var rows: Int { values.count / layout.columns }

  /// - Precondition: values are whole rows.
  package init(_ values: [Float], layout: Layout) {
    precondition(values.count % layout.columns == 0)
    self.values = values
    self.layout = layout
  }

  /// A matrix without intermediate features.
  package init(_ values: [Float], columns: Int) {
    self.init(values, layout: Layout(blockSize: columns))
  }

  /// A row's `columns` floats. The slice's indices are those of `values`.
  package subscript(row: Int) -> ArraySlice<Float> {
    values[row * columns..<(row + 1) * columns]
  }

  /// Calls `body` with a row's `columns` floats.
  package func withRow<Result, Failure: Error>(
    _ row: Int, _ body: (UnsafePointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try values.withUnsafeBufferPointer { (values) throws(Failure) in
      try body(values.baseAddress! + row * columns)
    }
  }

  /// Some of the rows, in the given order.
  package func subset(_ rows: [Int]) -> FeatureMatrix {
    var chosen: [Float] = []
    chosen.reserveCapacity(rows.count * columns)
    for row in rows { chosen += self[row] }
    return FeatureMatrix(chosen, layout: layout)
  }

  /// The model's vector and the first intermediate features alone.
  package func prefix(features count: Int) -> FeatureMatrix {
    let layout = layout.prefix(features: count)
    guard layout != self.layout else { return self }
    var cut: [Float] = []
    cut.reserveCapacity(rows * layout.columns)
    for row in 0..<rows { cut += self[row].prefix(layout.columns) }
    return FeatureMatrix(cut, layout: layout)
  }

  /// The root mean square length of the model's vectors. Intermediate features have length 1, and
  /// are multiplied by this factor to have the same weight.
  package var vectorLength: Float {
    var square: Float = 0
    for start in stride(from: 0, to: values.count, by: columns) {
      for i in start..<start + layout.blockSize { square += values[i] * values[i] }
    }
    return (square / Float(max(1, rows))).squareRoot()
  }

  /// The matrix with all intermediate features multiplied by a factor.
  package func scalingFeatures(by factor: Float) -> FeatureMatrix {
    let scaled = values.enumerated().map {
      $0 % columns < layout.blockSize ? $1 : $1 * factor
    }
    return FeatureMatrix(scaled, layout: layout)
  }
}
