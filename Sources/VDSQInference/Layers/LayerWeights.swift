import VDSQFormat
import VDSQKernels

/// The tensors of a transformer layer, of an encoder or a decoder, found by their names in the
/// container.
struct LayerWeights {
  /// The norm before attention; in a post-norm layer the one after the residual addition. Nil if
  /// there is none.
  let attentionNorm: Normalization?
  /// Queries, keys and values as one layer, so that their input is quantized once.
  let qkv: Linear
  /// Norms of queries and keys, if the architecture has them.
  let queryNorm: HeadNorm?
  let keyNorm: HeadNorm?
  let attentionOutput: Linear
  /// The norm of attention's output before the residual addition, if the architecture has it.
  let attentionOutputNorm: Normalization?
  /// Like `attentionNorm`, for the feed-forward network.
  let feedForwardNorm: Normalization?
  /// The up projection; the rows of the gate come first if there is one.
  let up: Linear
  let down: Linear
  /// Like `attentionOutputNorm`, for the feed-forward network.
  let feedForwardOutputNorm: Normalization?

  /// Opens all layers.
  ///
  /// - Throws: `badInput` if a tensor is missing, has another shape, or is not finite.
  static func all(
    _ container: Container, _ c: Architecture, _ memory: LayerMemory
  ) throws(VDSQError) -> [LayerWeights] {
    var layers: [LayerWeights] = []
    for layer in 0..<c.layers {
      try memory.open(layer)
      layers.append(try LayerWeights(container, c, layer))
    }
    memory.opened()
    return layers
  }

  private init(_ container: Container, _ c: Architecture, _ layer: Int) throws(VDSQError) {
    let name = "layer.\(c.storedLayer(of: layer))"
    let d = c.hiddenSize
    let epsilon = Float(c.normEpsilon)
    func norm(_ part: String, _ exists: Bool = true) throws(VDSQError) -> Normalization? {
      guard exists else { return nil }
      let norm = try container.norm("\(name).\(part)", d, epsilon)
      guard norm.bias == nil || c.norm == .layerNorm else {
        throw .badInput(
          "\(container.path): metadata: rms_norm does not agree with the bias of \(name).\(part)")
      }
      return norm
    }
    attentionNorm = try norm("attention.norm", c.hasAttentionNorm(layer: layer))
    qkv = try Linear(
      container, "\(name).attention.qkv", outputs: c.queryWidth + 2 * c.keyValueWidth, inputs: d)
    queryNorm = try HeadNorm(container, "\(name).attention.query_norm", c, width: c.queryWidth)
    keyNorm = try HeadNorm(container, "\(name).attention.key_norm", c, width: c.keyValueWidth)
    attentionOutput = try Linear(
      container, "\(name).attention.output", outputs: d, inputs: c.queryWidth)
    attentionOutputNorm = try norm("attention.output_norm", c.hasOutputNorms)
    feedForwardNorm = try norm("feed_forward.norm", c.normPlacement != .output)
    up = try Linear(
      container, "\(name).feed_forward.up", outputs: (c.isGated ? 2 : 1) * c.intermediateSize,
      inputs: d)
    down = try Linear(
      container, "\(name).feed_forward.down", outputs: d, inputs: c.intermediateSize)
    feedForwardOutputNorm = try norm("feed_forward.output_norm", c.hasOutputNorms)
  }
}
