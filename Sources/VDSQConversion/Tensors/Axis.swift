/// The meaning of a tensor's axis.
enum Axis: Sendable {
  case hidden, intermediate, vocabulary, positions, tokenTypes
  /// The columns of the embedding tables, if they differ from the hidden size.
  case embedding
  /// All heads of queries, all heads of keys or values, or one head.
  case queries, keyValues, head
  /// Queries, keys and values in one tensor.
  case fused
  /// The gate and the up projection in one tensor.
  case gated
  /// All heads of queries, one number each.
  case heads
  /// Buckets of distances.
  case buckets
  /// Rows of a table of distances.
  case distances
}
