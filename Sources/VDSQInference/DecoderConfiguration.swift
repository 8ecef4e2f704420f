public import VDSQFormat
public import VDSQKernels

/// The shape of a causal language model, as the container's metadata has it.
public struct DecoderConfiguration: Sendable {
  public let hiddenSize: Int
  public let layers: Int
  public let heads: Int
  /// Heads of keys and values; each serves `heads / keyValueHeads` query heads.
  public let keyValueHeads: Int
  public let headSize: Int
  public let intermediateSize: Int
  public let vocabularySize: Int
  /// The longest sequence in tokens; longer texts are cut.
  public let maximumTokens: Int
  /// Rows of the table of learned positions; 0 where positions are rotary.
  public let positions: Int
  /// Elements of a head that rotary positions turn; 0 for none.
  public let rotaryDimensions: Int
  /// What rotary scaling multiplies cosines and sines by.
  public let rotaryScale: Float
  /// RMSNorm where true, LayerNorm where false.
  public let rootMeanSquareNorm: Bool
  public let normEpsilon: Float
  public let activation: Activation
  /// Whether the feed-forward network is gated (SwiGLU).
  public let gated: Bool
  /// Whether attention and feed-forward network see the same input, and both are added to it.
  public let parallelResidual: Bool
  /// How many positions a token sees in layers with a sliding window; `Int.max` for all.
  private let slidingWindow: Int
  /// A digit a layer, `1` where the window slides; empty where it does in all.
  private let slidingLayers: [UInt8]

  var group: Int { heads / keyValueHeads }
  var queryWidth: Int { heads * headSize }
  var keyValueWidth: Int { keyValueHeads * headSize }

  /// - Throws: `badInput` where a value is missing or out of range.
  public init(_ metadata: Metadata) throws(VDSQError) {
    hiddenSize = try metadata.integer("hidden_size", in: 1...65536)
    layers = try metadata.integer("layers", in: 1...1024)
    heads = try metadata.integer("heads", in: 1...4096)
    keyValueHeads = try metadata.integer("key_value_heads", in: 1...heads)
    headSize = try metadata.integer("head_size", in: 1...65536)
    intermediateSize = try metadata.integer("intermediate_size", in: 1...1 << 20)
    vocabularySize = try metadata.integer("vocabulary_size", in: 1...1 << 24)
    let learned = try metadata.integer("positions", in: 0...1 << 24)
    // No table at all, or one for the shortest sequence at least.
    positions = learned == 0 ? 0 : try metadata.integer("positions", in: 2...1 << 24)
    maximumTokens = try metadata.integer(
      "maximum_tokens", in: 2...(positions > 0 ? positions : 1 << 24))
    rotaryDimensions = try metadata.integer("rotary_dimensions", in: 0...headSize)
    rotaryScale = Float(try metadata.number("rotary_scale"))
    rootMeanSquareNorm = try metadata.integer("rms_norm", in: 0...1) == 1
    normEpsilon = Float(try metadata.number("norm_epsilon"))
    gated = try metadata.integer("gated", in: 0...1) == 1
    parallelResidual = try metadata.integer("parallel_residual", in: 0...1) == 1
    let window = try metadata.integer("sliding_window", in: 0...1 << 30)
    slidingWindow = window == 0 ? .max : window
    slidingLayers = Array(try metadata.text("sliding_layers").utf8)
    let name = try metadata.text("activation")
    guard let activation = Activation(named: name) else {
      throw .badInput("\(metadata.path): metadata: activation \(name) is not supported")
    }
    self.activation = activation
    guard heads % keyValueHeads == 0, rotaryDimensions % 2 == 0,
      slidingLayers.isEmpty || slidingLayers.count == layers,
      heads * headSize <= 1 << 20, rotaryScale > 0
    else {
      throw .badInput("\(metadata.path): metadata: heads, rotary or sliding values do not agree")
    }
  }

  /// How many positions a token of a layer sees.
  func window(layer: Int) -> Int {
    slidingLayers.isEmpty || slidingLayers[layer] == UInt8(ascii: "1") ? slidingWindow : .max
  }
}
