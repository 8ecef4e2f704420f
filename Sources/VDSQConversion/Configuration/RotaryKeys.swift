import VDSQCheckpoints
import VDSQFormat

/// The names of a configuration's rotary parameters. The objects `rope_parameters` and
/// `rope_scaling` have the same names in all architectures, and precede these keys.
struct RotaryKeys: Sendable {
  /// The base of the frequencies' geometric series; 10,000 if it is absent.
  var base = "rope_theta"
  /// The share of a head's elements that are rotated.
  var share = "partial_rotary_factor"
  /// The share if it is absent.
  var defaultShare = 1.0
}

extension RotaryKeys {
  /// The rotary parameters of a GGUF file, as `rope_parameters`.
  ///
  /// - Parameter longest: tokens of the longest sequence.
  /// - Throws: `badInput` if a value is missing or no number.
  static func parameters(
    _ m: GGUFMetadata, longest: Int
  ) throws(VDSQError) -> [(key: String, value: JSON)] {
    let base: (key: String, value: JSON) = (
      "rope_theta", .number(try m.number("rope.freq_base", default: 10_000))
    )
    if let factors = m.file.tensors["rope_freqs.weight"] {
      // Llama 3's scaling is stored as a divisor for each frequency.
      guard factors.count > 0, factors.count <= 1 << 16 else {
        throw .badInput("\(m.file.file.path): tensor rope_freqs.weight is empty or too large")
      }
      let values = try factors.reshaped(columns: factors.count).read(rows: 0..<1)
      return [
        base, ("rope_type", .string("longrope")), ("attention_factor", .number(1)),
        ("original_max_position_embeddings", .integer(longest)),
        ("short_factor", .array(values.map { .number(Double($0)) })),
      ]
    }
    guard case .text(let type)? = m.find("rope.scaling.type"), type != "none" else { return [base] }
    return [
      base, ("rope_type", .string(type)), ("factor", .number(try m.number("rope.scaling.factor"))),
      (
        "original_max_position_embeddings",
        .integer(try m.size("rope.scaling.original_context_length", default: longest))
      ),
    ]
  }
}
