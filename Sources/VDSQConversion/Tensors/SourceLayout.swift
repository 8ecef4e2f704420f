/// The layout of a linear layer in a checkpoint.
enum SourceLayout: Sendable {
  /// `[outputs, inputs]`.
  case rows
  /// `[inputs, outputs]`, as in GPT-2.
  case columns
  /// For each head of keys its queries, its key and its value, one after another, as in GPT-NeoX and
  /// Falcon.
  case groupByGroup
  /// `[outputs, inputs]`, where the second half of the rows comes first: the up projection precedes
  /// the gate.
  case upFirst
  /// `[buckets, heads]`: a row for each bucket of distances (Raffel et al. 2020). It becomes a row
  /// for each distance.
  case buckets
}
