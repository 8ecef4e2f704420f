/// The kind of a section.
package enum SectionKind: UInt32, Sendable {
  /// Typed key-value pairs: the architecture's configuration.
  case metadata = 1
  /// The tensor directory: one record per tensor, then the names.
  case tensors = 2
  /// Token strings, their hash index, and added tokens.
  case tokenizer = 3
  /// JSON text about the origin of the weights.
  case provenance = 4
  /// Tensor data. A layer is a section, so that it can be read separately.
  case weights = 5

  /// The kind in error messages and listings.
  package var name: StaticString {
    switch self {
    case .metadata: "metadata"
    case .tensors: "tensors"
    case .tokenizer: "tokenizer"
    case .provenance: "provenance"
    case .weights: "weights"
    }
  }
}
