import Glibc
import VDSQCheckpoints
import VDSQFormat

/// The rotation angles per position of rotary embeddings, after the scaling of the configuration:
/// default, linear, dynamic (up to the trained length), llama3, yarn (Peng et al. 2023) or longrope
/// (its short factors).
struct RotaryFrequencies {
  /// Radians per position, for each pair of elements.
  let frequencies: [Float]
  /// The factor of cosines and sines.
  let scale: Double
  /// The number of positions that the scaling supports.
  let maximumTokens: Int
  /// What a person should know about the parameters.
  private(set) var warnings: [String] = []

  /// - Parameter key: the key of the number of positions.
  /// - Throws: `badInput` if a value is missing, out of range, or of an unsupported type.
  init(
    _ config: ConfigReader, headSize: Int, keys: RotaryKeys,
    longest key: String = "max_position_embeddings"
  ) throws(VDSQError) {
    let longest = try config.size(key, 1 << 24, default: keys.defaultLongest)
    // Configurations of transformers 5 have all parameters in one object. It takes the older one
    // where both are there.
    let scaling =
      keys.isScaled
      ? config["rope_scaling"].flatMap { $0.members?.isEmpty == true ? nil : $0 } : nil
    let parameters = try Self.parameters(config, of: keys.layerType)
    let settings = scaling ?? parameters
    try Self.check(settings, config.path)
    let ownBase = try config.number(keys.base), ownShare = try config.number(keys.share)
    let base = settings["rope_theta"]?.double ?? ownBase ?? keys.defaultBase
    let type = settings["rope_type"]?.text ?? settings["type"]?.text ?? "default"
    var share = settings["partial_rotary_factor"]?.double ?? ownShare ?? keys.defaultShare
    if !keys.isPartial, config.isFolder, share != 1 {
      guard type == "default" else {
        throw .badInput(
          "\(config.path): partial_rotary_factor \(share) with rope_type \(type) is not supported "
            + "for this architecture")
      }
      warnings.append(
        "\(config.path): partial_rotary_factor \(share) is not followed, as in transformers: its "
          + "class of this model_type rotates all elements")
      share = 1
    }
    guard share > 0, share <= 1 else {
      throw .badInput("\(config.path): partial_rotary_factor \(share) is not between 0 and 1")
    }
    let dimensions = Int(Double(headSize) * share)
    guard base > 0, base.isFinite, dimensions >= 2, dimensions <= headSize, dimensions % 2 == 0
    else { throw .badInput("\(config.path): rotary positions of \(dimensions) elements a head") }
    var inverse = (0..<dimensions / 2).map {
      1 / Float(pow(base, Double(2 * $0) / Double(dimensions)))
    }
    func number(_ key: String, _ standard: Double? = nil) throws(VDSQError) -> Double {
      guard let value = settings[key]?.double ?? standard, value.isFinite, value > 0 else {
        throw .badInput("\(config.path): rope_scaling: \(key) is missing or not positive")
      }
      return value
    }
    var scale = 1.0
    var limit = longest
    let original = Double(
      settings["original_max_position_embeddings"]?.integer
        ?? config["original_max_position_embeddings"]?.integer ?? longest)
    switch type {
    case "default", "dynamic": break
    case "linear":
      let factor = Float(try number("factor"))
      inverse = inverse.map { $0 / factor }
    case "ntk" where keys.hasNTK:
      let factor = try number("factor")
      inverse = (0..<dimensions / 2).map {
        let power = Double(2 * $0) / Double(dimensions)
        return 1 / Float(pow(base * factor, power)) / Float(pow(factor, 2 / Double(dimensions)))
      }
    case "llama3":
      let factor = try number("factor")
      let low = try number("low_freq_factor"), high = try number("high_freq_factor")
      inverse = inverse.map { Self.llama3($0, factor, low, high, original) }
    case "yarn":
      let factor = try number("factor")
      inverse = Self.yarn(
        inverse, base: base, dimensions: dimensions, factor: factor,
        fast: try number("beta_fast", 32), slow: try number("beta_slow", 1), original: original,
        truncates: settings["truncate"]?.boolean ?? true)
      func magnitude(_ m: Double) -> Double { factor <= 1 ? 1 : 0.1 * m * log(factor) + 1 }
      if let given = settings["attention_factor"]?.double {
        scale = given
      } else if let m = settings["mscale"]?.double, let all = settings["mscale_all_dim"]?.double,
        m != 0, all != 0
      {
        scale = magnitude(m) / magnitude(all)
      } else {
        scale = magnitude(1)
      }
    case "longrope":
      let factors = settings["short_factor"]?.elements ?? []
      guard factors.count == inverse.count else {
        throw .badInput("\(config.path): rope_scaling: short_factor is not one for each pair")
      }
      for i in inverse.indices { inverse[i] /= Float(factors[i].double ?? 1) }
      let factor = settings["factor"]?.double ?? Double(longest) / original
      scale =
        settings["attention_factor"]?.double
        ?? (factor <= 1 ? 1 : (1 + log(factor) / log(original)).squareRoot())
      limit = min(longest, Int(original))
    default:
      throw .badInput(
        "\(config.path): rope_type \(type); supported: default, linear, dynamic, llama3, yarn, longrope"
      )
    }
    guard scale > 0, scale.isFinite, inverse.allSatisfy(\.isFinite) else {
      throw .badInput("\(config.path): rope_scaling: its values are out of range")
    }
    frequencies = inverse
    self.scale = scale
    maximumTokens = limit
  }

  /// The object `rope_parameters`, or its member for a type of layers.
  ///
  /// - Throws: `badInput` if it has members of other kinds.
  private static func parameters(
    _ config: ConfigReader, of type: String?
  ) throws(VDSQError) -> JSON {
    let all = config["rope_parameters"] ?? .object([])
    guard let type else { return all }
    for member in all.members ?? []
    where member.key != "full_attention" && member.key != "sliding_attention" {
      throw .badInput(
        "\(config.path): rope_parameters: \(member.key) is not supported; supported: "
          + "full_attention, sliding_attention")
    }
    let own = all[type] ?? .null
    return own.isNull ? .object([]) : own
  }

  private static let numbers = [
    "rope_theta", "partial_rotary_factor", "factor", "low_freq_factor", "high_freq_factor",
    "beta_fast", "beta_slow", "attention_factor", "mscale", "mscale_all_dim",
    "original_max_position_embeddings",
  ]

  /// - Throws: `badInput` if a parameter is of another type than it should be, or is not known.
  private static func check(_ settings: JSON, _ path: String) throws(VDSQError) {
    guard let members = settings.members else {
      throw .badInput("\(path): rope_parameters or rope_scaling is no JSON object")
    }
    for (key, value) in members.map({ ($0.key, $0.value) }) where !value.isNull {
      let isKnown =
        switch key {
        case "rope_type", "type": value.text != nil
        case "truncate": value.boolean != nil
        case "short_factor", "long_factor": value.elements?.allSatisfy { $0.double != nil } ?? false
        default: numbers.contains(key) && value.double != nil
        }
      guard isKnown else {
        throw .badInput(
          "\(path): rotary parameters: \(key) \(value.brief) is not supported")
      }
    }
  }

  /// Long wavelengths are stretched, short ones are kept, and those in between are interpolated.
  private static func llama3(
    _ inverse: Float, _ factor: Double, _ low: Double, _ high: Double, _ original: Double
  ) -> Float {
    let wave = 2 * Double.pi / Double(inverse)
    if wave < original / high { return inverse }
    if wave > original / low { return Float(Double(inverse) / factor) }
    let smooth = (original / wave - low) / (high - low)
    return Float((1 - smooth) * Double(inverse) / factor + smooth * Double(inverse))
  }

  private static func yarn(
    _ inverse: [Float], base: Double, dimensions: Int, factor: Double, fast: Double, slow: Double,
    original: Double, truncates: Bool
  ) -> [Float] {
    func dimension(_ rotations: Double) -> Double {
      Double(dimensions) * log(original / (rotations * 2 * .pi)) / (2 * log(base))
    }
    var low = dimension(fast), high = dimension(slow)
    if truncates { (low, high) = (floor(low), ceil(high)) }
    low = max(low, 0)
    high = min(high, Double(dimensions - 1))
    if low == high { high += 0.001 }
    return inverse.enumerated().map { i, value in
      let ramp = min(max((Double(i) - low) / (high - low), 0), 1)
      return Float(Double(value) / factor * ramp + Double(value) * (1 - ramp))
    }
  }
}
