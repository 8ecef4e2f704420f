import VDSQFormat
import VDSQKernels

/// A BERT encoder's tensors by their names in the container.
struct EncoderWeights {
  struct Layer {
    /// Queries, keys and values as one layer: their input is quantized once.
    let qkv: Linear
    let attentionOutput: Linear
    let attentionNorm: Normalization
    let up: Linear
    let down: Linear
    let outputNorm: Normalization
  }

  let words: TensorView
  let positions: TensorView
  let tokenTypes: UnsafePointer<Float>
  let embeddingNorm: Normalization
  let layers: [Layer]

  init(_ container: Container, _ c: EncoderConfiguration) throws(VDSQError) {
    let d = c.hiddenSize
    words = try container.tensor("embeddings.word", shape: [c.vocabularySize, d])
    positions = try container.tensor("embeddings.position", shape: [c.positions, d])
    guard positions.record.element == .float16, words.record.element != .float32 else {
      throw .badInput("\(container.path): the embeddings are of an element type not supported here")
    }
    tokenTypes = try container.finite("embeddings.token_type", shape: [c.tokenTypes, d])
    embeddingNorm = try Self.norm(container, c, "embeddings.norm")
    var layers: [Layer] = []
    for i in 0..<c.layers {
      let name = "layer.\(i)"
      layers.append(
        Layer(
          qkv: try Linear(container, "\(name).attention.qkv", outputs: 3 * d, inputs: d),
          attentionOutput: try Linear(
            container, "\(name).attention.output", outputs: d, inputs: d),
          attentionNorm: try Self.norm(container, c, "\(name).attention.norm"),
          up: try Linear(
            container, "\(name).feed_forward.up", outputs: c.intermediateSize, inputs: d),
          down: try Linear(
            container, "\(name).feed_forward.down", outputs: d, inputs: c.intermediateSize),
          outputNorm: try Self.norm(container, c, "\(name).feed_forward.norm")))
    }
    self.layers = layers
  }

  private static func norm(
    _ container: Container, _ c: EncoderConfiguration, _ name: String
  ) throws(VDSQError) -> Normalization {
    Normalization(
      gain: try container.finite("\(name).weight", shape: [c.hiddenSize]),
      bias: try container.finite("\(name).bias", shape: [c.hiddenSize]),
      epsilon: c.layerNormEpsilon)
  }
}
