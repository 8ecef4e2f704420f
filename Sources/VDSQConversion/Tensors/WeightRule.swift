public import VDSQFormat

/// The element type of tensors whose names match a pattern: `embeddings=fp16`.
public struct WeightRule: Sendable {
  /// The text of the rule.
  public let text: String
  private let pattern: [UInt8]
  let weights: Converter.Weights

  /// - Parameter text: `PATTERN=int8|fp16|fp32`. The pattern is the name of a tensor in the
  ///   container, or the beginning of a name up to a dot. `*` matches anything.
  /// - Throws: `usage` if it does not have that form.
  public init(_ text: String) throws(VDSQError) {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty,
      let weights = Converter.Weights(rawValue: String(parts[1]))
    else {
      throw .usage(
        "\(text): give PATTERN=int8, fp16 or fp32, such as embeddings=fp16 or layer.0=fp32",
        .keptTensors)
    }
    self.text = text
    self.weights = weights
    pattern = Array(parts[0].utf8)
  }

  func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    // The positions in the name at which the pattern read so far can end.
    var ends: Set<Int> = [0]
    for byte in pattern {
      if byte == UInt8(ascii: "*") {
        ends = Set(ends.min()!...name.count)
      } else {
        ends = Set(ends.compactMap { $0 < name.count && name[$0] == byte ? $0 + 1 : nil })
      }
      if ends.isEmpty { return false }
    }
    return ends.contains { $0 == name.count || name[$0] == UInt8(ascii: ".") }
  }
}
