import VDSQFormat

/// The scales of a tensor of integers. Each applies to a number of columns of a row.
package struct SourceScales: Sendable {
  let type: SourceType
  let offset: Int
  let columns: Int
  /// A common factor of all scales.
  var factor: Float = 1
  /// Whether all rows have the scales of the first.
  var areShared = false
  /// The place of int8 zero points, one for each scale, which are subtracted before; nil for none.
  var zeroPoints: Int?
}
