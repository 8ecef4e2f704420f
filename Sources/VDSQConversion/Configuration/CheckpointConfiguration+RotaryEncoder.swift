import VDSQCheckpoints
import VDSQFormat

/// The names of an encoder's configuration keys, where positions are rotary.
struct RotaryEncoderKeys: Sendable {
  var hiddenSize = "hidden_size"
  var layers = "num_hidden_layers"
  var heads = "num_attention_heads"
  var intermediateSize = "intermediate_size"
  var positions = "max_position_embeddings"
  /// The key of the head size; nil if heads share the hidden size.
  var headSize: String?
  /// The key of the activation function; nil if the architecture reads it.
  var activation: String? = "hidden_act"
  var epsilon = "layer_norm_eps"
  /// The key of the number of token types and the number without it; nil if there are none.
  var tokenTypes: (key: String, default: Int)?
  var rotary = RotaryKeys()

  /// The keys that `CheckpointConfiguration(rotaryEncoder:)` reads, and those of all encoders.
  var settings: [SettingKey] {
    let names = [
      hiddenSize, layers, heads, intermediateSize, positions, headSize, activation, epsilon,
      tokenTypes?.key, rotary.base, rotary.share, "rope_parameters", "rope_scaling",
      "original_max_position_embeddings",
    ]
    return SettingKeys.encoder
      + names.compactMap { $0 }.map { SettingKey(name: $0, use: .followed) }
  }
}

extension CheckpointConfiguration {
  /// Reads the keys that encoders with rotary positions have in common. The result has post-norm
  /// layers with LayerNorm and a gate.
  ///
  /// - Parameters:
  ///   - epsilon: the epsilon without its key; `activation` likewise.
  /// - Throws: `badInput` if a value is missing, out of range or not supported.
  init(
    rotaryEncoder config: ConfigReader, _ keys: RotaryEncoderKeys, epsilon: Double = 1e-12,
    activation: ActivationFunction
  ) throws(VDSQError) {
    let hiddenSize = try config.size(keys.hiddenSize, 65536)
    let heads = try config.size(keys.heads, 4096)
    guard keys.headSize.flatMap({ config[$0] }) != nil || hiddenSize % heads == 0 else {
      throw .badInput("\(config.path): \(keys.hiddenSize) is not a multiple of \(keys.heads)")
    }
    let headSize =
      if let key = keys.headSize {
        try config.size(key, 65536, default: hiddenSize / heads)
      } else { hiddenSize / heads }
    let rotary = try RotaryFrequencies(
      config, headSize: headSize, keys: keys.rotary, longest: keys.positions)
    var types = 0
    if let (key, standard) = keys.tokenTypes {
      let given = try config.number(key)
      types = given == 0 ? 0 : try config.size(key, 1024, default: standard)
    }
    var architecture = Architecture(
      encoder: hiddenSize, layers: try config.size(keys.layers, 1024), heads: heads,
      intermediateSize: try config.size(keys.intermediateSize, 1 << 20),
      vocabularySize: try config.size("vocab_size", 1 << 24), positions: rotary.maximumTokens,
      tokenTypes: types, normEpsilon: try config.epsilon(keys.epsilon, default: epsilon),
      activation: try keys.activation.map { (key) throws(VDSQError) in
        try config.activation(key, default: activation)
      } ?? activation)
    architecture.headSize = headSize
    architecture.positions = .rotary(
      dimensions: 2 * rotary.frequencies.count, scale: rotary.scale)
    architecture.isGated = true
    self.init(
      architecture: architecture, rotaryFrequencies: rotary.frequencies,
      warnings: rotary.warnings)
  }
}
