public import VDSQFormat

/// The element type of tensors whose names match a pattern: `embeddings=fp16`.
public struct WeightRule: Sendable {
  /// The text of the rule.
  public let text: String
  private let pattern: NamePattern
  let weights: Converter.Weights

  /// - Parameter text: `PATTERN=int8|int4|fp16|fp32`. The pattern is the name of a tensor in the
  ///   container, or the beginning of a name up to a dot. `*` matches anything.
  /// - Throws: `usage` if it does not have that form.
  public init(_ text: String) throws(VDSQError) {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty,
      let weights = Converter.Weights(rawValue: String(parts[1]))
    else {
      throw .usage(
        "\(text): give PATTERN=int8, int4, fp16 or fp32, such as embeddings=fp16 or layer.0=fp32",
        .keptTensors)
    }
    self.text = text
    self.weights = weights
    pattern = NamePattern(String(parts[0]))
  }

  func matches(_ name: String) -> Bool { pattern.matchesBeginning(of: name) }
}
