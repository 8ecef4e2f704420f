/// Groups of columns of a row. An element is its int8 times the scale of its row times the factor
/// of its group. The int8 of an int4 element is eight times the element minus the zero point of its
/// group. In panels, factors and zero points lie behind all elements; in `rowGroups`, behind the
/// elements of each row, and the offsets are 0.
package struct TensorGroups: Sendable {
  /// Columns of a group. The last group may have fewer.
  package let length: Int
  /// Offset of the half-precision factors, `[panels][groups][16]`, from the section's start.
  package let factorsOffset: Int
  /// Offset of the zero points, bytes `[panels][groups][16]`, from the section's start; int4 only.
  package let zeroPointsOffset: Int

  /// Groups of `length` columns, one of `ContainerLayout.groupLengths`.
  package init(length: Int, factorsOffset: Int = 0, zeroPointsOffset: Int = 0) {
    self.length = length
    self.factorsOffset = factorsOffset
    self.zeroPointsOffset = zeroPointsOffset
  }

  /// The number of groups in a row.
  package func count(columns: Int) -> Int { (columns + length - 1) / length }

  /// The size of the factors in bytes.
  package func bytes(storedRows: Int, columns: Int) -> Int {
    storedRows * count(columns: columns) * 2
  }
}
