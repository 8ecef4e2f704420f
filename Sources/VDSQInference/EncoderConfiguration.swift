public import VDSQFormat
public import VDSQKernels

/// How token states become one vector.
public enum Pooling: Sendable {
  case mean
  /// The first token's state.
  case first
  case max
  /// The sum over the square root of the number of tokens.
  case meanSquareRoot
}

/// The shape of a BERT-family encoder, as the container's metadata has it.
public struct EncoderConfiguration: Sendable {
  public let hiddenSize: Int
  public let layers: Int
  public let heads: Int
  public let intermediateSize: Int
  public let vocabularySize: Int
  public let positions: Int
  public let tokenTypes: Int
  public let layerNormEpsilon: Float
  public let activation: Activation
  public let pooling: Pooling
  /// Whether embeddings are scaled to length 1.
  public let normalize: Bool
  /// The longest sequence in tokens, `[CLS]` and `[SEP]` included; longer texts are cut.
  public let maximumTokens: Int

  public var headSize: Int { hiddenSize / heads }

  /// - Throws: `badInput` where the architecture is not an encoder's, or a value is out of range.
  public init(_ metadata: Metadata) throws(VDSQError) {
    let architecture = try metadata.text("architecture")
    guard architecture.utf8.elementsEqual("bert".utf8) else {
      throw .badInput(
        "\(metadata.path): architecture \(architecture) is not supported; supported: bert")
    }
    hiddenSize = try metadata.integer("hidden_size", in: 1...65536)
    layers = try metadata.integer("layers", in: 1...1024)
    heads = try metadata.integer("heads", in: 1...4096)
    intermediateSize = try metadata.integer("intermediate_size", in: 1...1 << 20)
    vocabularySize = try metadata.integer("vocabulary_size", in: 1...1 << 24)
    positions = try metadata.integer("positions", in: 2...1 << 20)
    tokenTypes = try metadata.integer("token_types", in: 1...1024)
    maximumTokens = try metadata.integer("maximum_tokens", in: 2...positions)
    normalize = try metadata.integer("normalize", in: 0...1) == 1
    layerNormEpsilon = Float(try metadata.number("layer_norm_epsilon"))
    guard hiddenSize % heads == 0 else {
      throw .badInput("\(metadata.path): metadata: hidden_size is not a multiple of heads")
    }
    let name = try metadata.text("activation")
    guard let activation = Self.activation(named: name) else {
      throw .badInput("\(metadata.path): metadata: activation \(name) is not supported")
    }
    self.activation = activation
    let poolingName = try metadata.text("pooling")
    guard let pooling = Self.pooling(named: poolingName) else {
      throw .badInput("\(metadata.path): metadata: pooling \(poolingName) is not supported")
    }
    self.pooling = pooling
  }

  /// By the name that Hugging Face's `hidden_act` has for it.
  public static func activation(named name: String) -> Activation? {
    switch name {
    case "gelu": .gelu
    case "gelu_new", "gelu_pytorch_tanh": .geluTanh
    case "relu": .relu
    default: nil
    }
  }

  public static func pooling(named name: String) -> Pooling? {
    switch name {
    case "mean": .mean
    case "cls": .first
    case "max": .max
    case "mean_sqrt_len": .meanSquareRoot
    default: nil
    }
  }
}
