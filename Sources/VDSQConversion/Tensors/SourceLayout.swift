/// The layout of a linear layer in a checkpoint.
enum SourceLayout: Sendable {
  /// `[outputs, inputs]`.
  case rows
  /// `[inputs, outputs]`, as in GPT-2.
  case columns
  /// Queries, keys and values of each head one after another, as in GPT-NeoX.
  case headByHead
}
