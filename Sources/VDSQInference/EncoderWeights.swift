import VDSQFormat

/// A BERT encoder's tensors by their names in the container.
struct EncoderWeights {
  struct Norm {
    let gain: UnsafePointer<Float>
    let bias: UnsafePointer<Float>

    init(_ container: Container, _ name: String, size: Int) throws(VDSQError) {
      gain = try container.floats("\(name).weight", shape: [size])
      bias = try container.floats("\(name).bias", shape: [size])
    }
  }

  struct Layer {
    /// Queries, keys and values as one layer: their input is quantized once.
    let qkv: Linear
    let attentionOutput: Linear
    let attentionNorm: Norm
    let up: Linear
    let down: Linear
    let outputNorm: Norm
  }

  let words: TensorView
  let positions: TensorView
  let tokenTypes: UnsafePointer<Float>
  let embeddingNorm: Norm
  let layers: [Layer]

  init(_ container: Container, _ c: EncoderConfiguration) throws(VDSQError) {
    let d = c.hiddenSize
    words = try container.tensor("embeddings.word", shape: [c.vocabularySize, d])
    positions = try container.tensor("embeddings.position", shape: [c.positions, d])
    guard positions.record.element == .float16, words.record.element != .float32 else {
      throw .badInput("\(container.path): the embeddings are of an element type not supported here")
    }
    tokenTypes = try container.floats("embeddings.token_type", shape: [c.tokenTypes, d])
    embeddingNorm = try Norm(container, "embeddings.norm", size: d)
    var layers: [Layer] = []
    for i in 0..<c.layers {
      let name = "layer.\(i)"
      layers.append(
        Layer(
          qkv: try Linear(container, "\(name).attention.qkv", outputs: 3 * d, inputs: d),
          attentionOutput: try Linear(
            container, "\(name).attention.output", outputs: d, inputs: d),
          attentionNorm: try Norm(container, "\(name).attention.norm", size: d),
          up: try Linear(
            container, "\(name).feed_forward.up", outputs: c.intermediateSize, inputs: d),
          down: try Linear(
            container, "\(name).feed_forward.down", outputs: d, inputs: c.intermediateSize),
          outputNorm: try Norm(container, "\(name).feed_forward.norm", size: d)))
    }
    self.layers = layers
  }
}
