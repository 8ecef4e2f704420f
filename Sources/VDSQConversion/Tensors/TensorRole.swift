/// The role of a tensor in the model, which determines its storage.
enum TensorRole: Sendable {
  /// Rows looked up by token id: int8, int4, fp16 or fp32 rows.
  case wordTable
  /// Rows looked up by position. They are few, so they are never int8.
  case positionTable
  /// A linear layer's weights: int8, int4, fp16 or fp32 panels.
  case linear
  /// A linear layer behind pooling: fp16 or fp32 panels, as it is small. int8 if a rule says so.
  case head
  /// Norms and biases: float32.
  case vector
}
