import VDSQCheckpoints
import VDSQFormat

extension CheckpointConfiguration {
  /// The keys that decoders with rotary positions have in common, beside those of `rotary`.
  static func rotarySettings(_ rotary: RotaryKeys, epsilon: String) -> [SettingKey] {
    SettingKeys.decoder
      + SettingKey.followed(
        "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "head_dim", "intermediate_size", "max_position_embeddings", "hidden_act", "layer_types",
        "rope_parameters", "rope_scaling", "original_max_position_embeddings", epsilon, rotary.base,
        rotary.share)
      + SettingKey.harmless("pretraining_tp")
  }

  /// Reads the keys that decoders with rotary positions have in common. The result has LayerNorm
  /// and no gate.
  ///
  /// - Parameters:
  ///   - rotary: the names of the rotary parameters.
  ///   - epsilon: the key of the norms' epsilon, and its default.
  ///   - activation: the activation if `hidden_act` is absent.
  ///   - headSize: the size of a head without `head_dim`; nil for its share of the hidden size.
  /// - Throws: `badInput` if a value is missing, out of range or not supported.
  init(
    rotaryDecoder config: ConfigReader, rotary keys: RotaryKeys,
    epsilon: (key: String, default: Double), activation: ActivationFunction, headSize: Int? = nil
  ) throws(VDSQError) {
    let vocabularySize = try config.size("vocab_size", 1 << 24)
    let hiddenSize = try config.size("hidden_size", 65536)
    let layers = try config.size("num_hidden_layers", 1024)
    let heads = try config.size("num_attention_heads", 4096)
    let keyValueHeads = try config.size("num_key_value_heads", heads, default: heads)
    guard config["head_dim"] != nil || headSize != nil || hiddenSize % heads == 0,
      heads % keyValueHeads == 0
    else {
      throw .badInput("\(config.path): sizes are not multiples of the numbers of heads")
    }
    if let others = config["layer_types"]?.elements?.first(where: {
      $0.text != "full_attention" && $0.text != "sliding_attention"
    }) {
      throw .badInput(
        "\(config.path): layer_types: \(others.brief) is not supported; supported: full_attention, "
          + "sliding_attention")
    }
    let headSize = try config.size("head_dim", 65536, default: headSize ?? hiddenSize / heads)
    let intermediateSize = try config.size("intermediate_size", 1 << 20)
    let rotary = try RotaryFrequencies(config, headSize: headSize, keys: keys)
    let epsilon = try config.epsilon(epsilon.key, default: epsilon.default)
    var architecture = Architecture(
      decoder: hiddenSize, layers: layers, heads: heads, headSize: headSize,
      intermediateSize: intermediateSize, vocabularySize: vocabularySize,
      maximumTokens: rotary.maximumTokens,
      positions: .rotary(dimensions: 2 * rotary.frequencies.count, scale: rotary.scale),
      normEpsilon: epsilon,
      activation: try config.activation("hidden_act", default: activation))
    architecture.keyValueHeads = keyValueHeads
    self.init(
      architecture: architecture, rotaryFrequencies: rotary.frequencies,
      warnings: rotary.warnings)
  }
}
