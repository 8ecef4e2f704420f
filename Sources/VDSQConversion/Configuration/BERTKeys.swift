import VDSQCheckpoints
import VDSQFormat

/// The configuration keys of an encoder with the layers of BERT. The defaults are those of BERT.
struct BERTKeys: Sendable {
  var hiddenSize = "hidden_size"
  var layers = "num_hidden_layers"
  var heads = "num_attention_heads"
  var intermediateSize = "intermediate_size"
  var activation = "hidden_act"
  /// Nil if the architecture has no token types.
  var tokenTypes: String? = "type_vocab_size"
  /// Nil if it is always 1e-12.
  var layerNormEpsilon: String? = "layer_norm_eps"
  /// Nil if it is the hidden size.
  var embeddingSize: String?
  /// Whether positions are counted from the id of the padding token plus one.
  var offsetsPositions = false
  /// Supported values of `position_embedding_type`.
  var positionTypes = ["absolute"]
  /// The position of the first token, unless it depends on the padding token.
  var firstPosition = 0

  /// The keys that `read` reads, and those that must not be set.
  var settings: [SettingKey] {
    let names = [
      hiddenSize, layers, heads, intermediateSize, activation, "max_position_embeddings",
      tokenTypes, layerNormEpsilon, embeddingSize, offsetsPositions ? "pad_token_id" : nil,
    ]
    return SettingKeys.encoder
      + [
        SettingKey(
          name: "position_embedding_type", use: .fixed(positionTypes.map(JSON.string)))
      ]
      + names.compactMap { $0 }.map { SettingKey(name: $0, use: .followed) }
  }

  /// - Parameters:
  ///   - activation: the activation function without its key.
  ///   - standardEpsilon: the epsilon without its key.
  ///   - standardSize: the embedding size without its key; nil for the hidden size.
  /// - Throws: `badInput` if a value is missing, out of range or not supported.
  func read(
    _ config: ConfigReader, activation: ActivationFunction = .gelu,
    embeddingSize standardSize: Int? = nil, epsilon standardEpsilon: Double = 1e-12
  ) throws(VDSQError) -> CheckpointConfiguration {
    let path = config.path
    let hiddenSize = try config.size(self.hiddenSize, 65536)
    let embeddingSize =
      if let key = self.embeddingSize {
        try config.size(key, 65536, default: standardSize ?? hiddenSize)
      } else { hiddenSize }
    let layers = try config.size(self.layers, 1024)
    let heads = try config.size(self.heads, 4096)
    let intermediateSize = try config.size(self.intermediateSize, 1 << 20)
    let vocabularySize = try config.size("vocab_size", 1 << 24)
    let positionRows = try config.size("max_position_embeddings", 1 << 20)
    var positionOffset = firstPosition
    if offsetsPositions {
      let padding = try config.number("pad_token_id") ?? 1
      guard padding >= 0, padding < Double(positionRows), let id = Int(exactly: padding) else {
        throw .badInput("\(path): pad_token_id leaves no position for a token")
      }
      positionOffset = id + 1
    }
    guard positionOffset >= 0, positionRows - positionOffset >= 2 else {
      throw .badInput("\(path): max_position_embeddings leaves no position for a token")
    }
    let tokenTypes =
      if let key = self.tokenTypes { try config.size(key, 1024, default: 2) } else { 1 }
    guard hiddenSize % heads == 0 else {
      throw .badInput("\(path): \(self.hiddenSize) is not a multiple of \(self.heads)")
    }
    let activation = try config.activation(self.activation, default: activation)
    let epsilon =
      if let key = layerNormEpsilon { try config.epsilon(key, default: standardEpsilon) } else {
        1e-12
      }
    return CheckpointConfiguration(
      architecture: Architecture(
        encoder: hiddenSize, layers: layers, heads: heads, intermediateSize: intermediateSize,
        vocabularySize: vocabularySize, positions: positionRows - positionOffset,
        tokenTypes: tokenTypes, normEpsilon: epsilon, activation: activation,
        embeddingSize: embeddingSize),
      positionOffset: positionOffset)
  }
}
