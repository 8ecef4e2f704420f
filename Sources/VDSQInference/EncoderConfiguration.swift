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
  /// The state of the first mask token, as the masked language model's head transforms it.
  case mask
}

/// The shape of a BERT-family encoder, as the container's metadata has it.
public struct EncoderConfiguration: Sendable {
  public let hiddenSize: Int
  /// Columns of the embedding tables; other than the hidden size where a linear layer comes between.
  public let embeddingSize: Int
  public let layers: Int
  public let heads: Int
  public let intermediateSize: Int
  public let vocabularySize: Int
  public let positions: Int
  public let tokenTypes: Int
  public let layerNormEpsilon: Float
  public let activation: Activation
  /// The activation of the masked language model's head.
  public let headActivation: Activation
  public let pooling: Pooling
  /// Whether embeddings are scaled to length 1.
  public let normalize: Bool
  /// The longest sequence in tokens, `[CLS]` and `[SEP]` included; longer texts are cut.
  public let maximumTokens: Int

  public var headSize: Int { hiddenSize / heads }
  /// Numbers in a vector: the masked head transforms states to the embeddings' size.
  public var vectorSize: Int { pooling == .mask ? embeddingSize : hiddenSize }

  /// - Throws: `badInput` where the architecture is not an encoder's, or a value is out of range.
  public init(_ metadata: Metadata) throws(VDSQError) {
    let architecture = try metadata.text("architecture")
    guard architecture.utf8.elementsEqual("bert".utf8) else {
      throw .badInput(
        "\(metadata.path): architecture \(architecture) is not supported; supported: bert")
    }
    hiddenSize = try metadata.integer("hidden_size", in: 1...65536)
    embeddingSize =
      try metadata.find(integer: "embedding_size", in: 1...65536) ?? hiddenSize
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
    guard let activation = Activation(named: name) else {
      throw .badInput("\(metadata.path): metadata: activation \(name) is not supported")
    }
    self.activation = activation
    let headName = metadata.find("head_activation") ?? name
    guard let headActivation = Activation(named: headName) else {
      throw .badInput("\(metadata.path): metadata: head_activation \(headName) is not supported")
    }
    self.headActivation = headActivation
    let poolingName = try metadata.text("pooling")
    guard let pooling = Self.pooling(named: poolingName) else {
      throw .badInput("\(metadata.path): metadata: pooling \(poolingName) is not supported")
    }
    self.pooling = pooling
  }

  public static func pooling(named name: String) -> Pooling? {
    switch name {
    case "mean": .mean
    case "cls": .first
    case "max": .max
    case "mean_sqrt_len": .meanSquareRoot
    case "mask": .mask
    default: nil
    }
  }
}

extension Activation {
  /// By the name that Hugging Face's configurations have for it.
  public init?(named name: String) {
    switch name {
    case "gelu": self = .gelu
    case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": self = .geluTanh
    case "relu": self = .relu
    case "silu", "swish": self = .silu
    default: return nil
    }
  }
}
