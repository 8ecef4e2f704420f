/// Groups of columns of a row. An element is its int8 times the scale of its row times the factor
/// of its group.
package struct TensorGroups: Sendable {
  /// Columns of a group. The last group may have fewer.
  package let length: Int
  /// Offset of the half-precision factors, `[panels][groups][16]`, from the section's start.
  package let factorsOffset: Int

  /// Groups of `length` columns, one of `ContainerLayout.groupLengths`.
  package init(length: Int, factorsOffset: Int) {
    self.length = length
    self.factorsOffset = factorsOffset
  }

  /// The number of groups in a row.
  package func count(columns: Int) -> Int { (columns + length - 1) / length }

  /// The size of the factors in bytes.
  package func bytes(storedRows: Int, columns: Int) -> Int {
    storedRows * count(columns: columns) * 2
  }
}
