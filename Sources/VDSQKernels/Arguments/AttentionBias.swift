/// What is added to the scores of a query's keys after they are scaled.
///
/// One mechanism for all: a table by distance has a row stride of -1, so that row i, column j is the
/// bias of distance j - i; a matrix has the width of its rows.
public struct AttentionBias {
  /// The bias of query 0 and key 0.
  public let origin: UnsafePointer<Float>
  /// Floats from one query's biases to the next one's. Those of its keys are side by side.
  public let rowStride: Int

  /// Refers to memory of the caller, which must outlive this value.
  public init(origin: UnsafePointer<Float>, rowStride: Int) {
    self.origin = origin
    self.rowStride = rowStride
  }
}
