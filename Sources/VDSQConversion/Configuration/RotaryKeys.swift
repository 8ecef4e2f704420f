import Glibc
import VDSQCheckpoints
import VDSQFormat

/// The names of a configuration's rotary parameters. The objects `rope_parameters` and
/// `rope_scaling` have the same names in all architectures, and precede these keys.
struct RotaryKeys: Sendable {
  /// The base of the frequencies' geometric series.
  var base = "rope_theta"
  /// The base if it is absent.
  var defaultBase = 10_000.0
  /// The member of `rope_parameters` that has the parameters, where the types of layers have their
  /// own; nil if all layers share them.
  var layerType: String?
  /// Whether `rope_scaling` is about these layers.
  var isScaled = true
  /// Whether `ntk` is a type of scaling: that of the code that comes with GTE's checkpoints.
  var hasNTK = false
  /// The share of a head's elements that are rotated.
  var share = "partial_rotary_factor"
  /// The share if it is absent.
  var defaultShare = 1.0
  /// Whether a share of a head's elements may be rotated. In folders of other architectures,
  /// transformers rotates all elements whatever the share is.
  var isPartial = true
  /// The number of positions if it is absent; nil if it must be there.
  var defaultLongest: Int?
}

extension RotaryKeys {
  /// The rotary parameters of a GGUF file, as `rope_parameters`. As in llama.cpp, factors in a
  /// tensor precede the type of scaling, and a factor without a type scales linearly.
  ///
  /// - Parameters:
  ///   - longest: tokens of the longest sequence.
  ///   - share: the share of a head's elements that are rotated.
  /// - Throws: `badInput` if a value is missing, no number, or not supported.
  static func parameters(
    _ m: GGUFMetadata, longest: Int, share: Double
  ) throws(VDSQError) -> [(key: String, value: JSON)] {
    var all: [(key: String, value: JSON)] = [
      ("rope_theta", .number(try m.number("rope.freq_base", default: 10_000)))
    ]
    if share < 1 { all.append(("partial_rotary_factor", .number(share))) }
    let old = try m.number("rope.scale_linear", default: 1)
    let given = try m.number("rope.scaling.factor", default: old)
    // Zero means that there is no factor.
    let factor = given == 0 ? 1 : given
    let magnitude = try m.number("rope.scaling.attn_factor", default: 1)
    let original = try m.size("rope.scaling.original_context_length", default: longest)
    var type = "linear"
    if let value = m.find("rope.scaling.type") {
      guard case .text(let text) = value, ["none", "linear", "yarn", "longrope"].contains(text)
      else {
        throw m.refused("rope.scaling.type", "supported: none, linear, yarn, longrope")
      }
      type = text
    }
    func divided(
      _ divisors: [Double], _ original: Int
    ) -> [(key: String, value: JSON)] {
      all + [
        ("rope_type", .string("longrope")), ("attention_factor", .number(magnitude)),
        ("original_max_position_embeddings", .integer(original)),
        ("short_factor", .array(divisors.map(JSON.number))),
      ]
    }
    // Llama 3's scaling is stored as a divisor for each frequency.
    if let divisors = try factors(m, "rope_freqs.weight") {
      guard type == "linear" || type == "none" else {
        throw m.refused("rope.scaling.type", "\(type) with the tensor rope_freqs is not supported")
      }
      return divided(divisors.map { type == "none" ? $0 : $0 * factor }, longest)
    }
    if let divisors = try factors(m, "rope_factors_short.weight") {
      guard type == "longrope" || factor == 1 else {
        throw m.refused(
          "rope.scaling.type", "\(type) with the tensor rope_factors_short is not supported")
      }
      return divided(divisors, original)
    }
    switch type {
    case "longrope":
      throw m.refused("rope.scaling.type", "longrope without the tensor rope_factors_short")
    case "yarn":
      let more = try m.number("rope.scaling.yarn_attn_factor", default: 1)
      let own = factor <= 1 ? 1 : 0.1 * log(factor) + 1
      return all + [
        ("rope_type", .string("yarn")), ("factor", .number(factor)),
        ("original_max_position_embeddings", .integer(original)),
        ("beta_fast", .number(try m.number("rope.scaling.yarn_beta_fast", default: 32))),
        ("beta_slow", .number(try m.number("rope.scaling.yarn_beta_slow", default: 1))),
        ("attention_factor", .number(magnitude * more * own)),
      ]
    default:
      guard magnitude == 1 else {
        throw m.refused("rope.scaling.attn_factor", "it is supported with yarn and longrope only")
      }
      if type == "linear", factor != 1 {
        all += [("rope_type", .string("linear")), ("factor", .number(factor))]
      }
      return all
    }
  }

  /// The divisors of the frequencies in a tensor; nil if there is none.
  private static func factors(
    _ m: GGUFMetadata, _ name: String
  ) throws(VDSQError) -> [Double]? {
    guard let tensor = m.file.tensors[name] else { return nil }
    guard tensor.count > 0, tensor.count <= 1 << 16 else {
      throw .badInput("\(m.file.file.path): tensor \(name) is empty or too large")
    }
    return try tensor.reshaped(columns: tensor.count).read(rows: 0..<1).map(Double.init)
  }
}
