import VDSQFormat
import VDSQInference
import VDSQSemantics

/// The number of tokens of a text, and whether the text was truncated.
package struct TokenCount: Sendable {
  /// The number of tokens, including those that the model adds.
  package let tokens: Int
  /// Whether the text was truncated to the longest sequence.
  package let isTruncated: Bool
  /// Whether the text has nothing to read.
  package let isBlank: Bool
}
