package import VDSQInference

/// Hidden states of texts: `[rows, columns]` floats, one text per row.
///
/// A row consists of the model's vector and one block of the same size for each intermediate
/// feature:
///
///     | vector (blockSize) | feature 0 (blockSize) | feature 1 (blockSize) | ...
///
/// A matrix is a view of rows in memory (`StateRows`). Subsets, matrices of fewer features and
/// matrices with scaled features share it, so that training does not copy states.
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
  private let states: StateRows
  /// The row of `states` for each row; nil for all of them in order.
  private let order: [Int]?
  /// The factor of all intermediate features.
  private let featureScale: Float

  /// The number of columns: the model's vector and the intermediate features.
  package var columns: Int { layout.columns }
  /// The number of rows, one per text.
  package var rows: Int { order?.count ?? states.rows }

  private init(_ states: StateRows, layout: Layout, order: [Int]?, featureScale: Float) {
    self.states = states
    self.layout = layout
    self.order = order
    self.featureScale = featureScale
  }

  /// - Precondition: rows have the columns of the layout.
  package init(_ states: StateRows, layout: Layout) {
    precondition(states.columns == layout.columns)
    self.init(states, layout: layout, order: nil, featureScale: 1)
  }

  /// - Precondition: values are whole rows.
  package init(_ values: [Float], layout: Layout) {
    self.init(StateRows(values, columns: layout.columns), layout: layout)
  }

  /// A matrix without intermediate features.
  package init(_ values: [Float], columns: Int) {
    self.init(values, layout: Layout(blockSize: columns))
  }

  /// A copy of a row's `columns` floats.
  package subscript(row: Int) -> [Float] {
    withRow(row) { Array(UnsafeBufferPointer(start: $0, count: columns)) }
  }

  /// A copy of all rows: `rows * columns` elements.
  package var values: [Float] { gathered(0..<rows) }

  /// Copies of some rows: `[members.count, columns]`.
  package func gathered(_ members: some Collection<Int>) -> [Float] {
    [Float](unsafeUninitializedCapacity: members.count * columns) { to, count in
      if let base = to.baseAddress { copy(members, into: base) }
      count = members.count * columns
    }
  }

  /// Copies some rows.
  ///
  /// - Parameter to: `[members.count, columns]`.
  package func copy(_ members: some Collection<Int>, into to: UnsafeMutablePointer<Float>) {
    for (i, row) in members.enumerated() {
      let to = to + i * columns
      states.copy(order?[row] ?? row, first: columns, into: to)
      if featureScale != 1 { for j in layout.blockSize..<columns { to[j] *= featureScale } }
    }
  }

  /// Calls `body` with a row's `columns` floats.
  package func withRow<Result, Failure: Error>(
    _ row: Int, _ body: (UnsafePointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard featureScale == 1 else {
      return try withTemporaryFloats(columns) { (copied) throws(Failure) in
        copy(CollectionOfOne(row), into: copied)
        return try body(copied)
      }
    }
    return try states.withRow(order?[row] ?? row, first: columns, body)
  }

  /// Some of the rows, in the given order.
  package func subset(_ rows: [Int]) -> FeatureMatrix {
    FeatureMatrix(
      states, layout: layout, order: order.map { order in rows.map { order[$0] } } ?? rows,
      featureScale: featureScale)
  }

  /// The model's vector and the first intermediate features alone.
  package func prefix(features count: Int) -> FeatureMatrix {
    FeatureMatrix(
      states, layout: layout.prefix(features: count), order: order, featureScale: featureScale)
  }

  /// The root mean square length of the model's vectors. Intermediate features have length 1, and
  /// are multiplied by this factor to have the same weight.
  package var vectorLength: Float {
    let vectors = prefix(features: 0)
    var square: Float = 0
    for row in 0..<rows {
      vectors.withRow(row) { for j in 0..<layout.blockSize { square += $0[j] * $0[j] } }
    }
    return (square / Float(max(1, rows))).squareRoot()
  }

  /// The matrix with all intermediate features multiplied by a factor.
  package func scalingFeatures(by factor: Float) -> FeatureMatrix {
    FeatureMatrix(states, layout: layout, order: order, featureScale: featureScale * factor)
  }
}
