import VDSQFormat
import VDSQKernels

/// The tensors of a BERT-like encoder, found by their names in the container.
struct EncoderWeights {
  struct Layer {
    /// Queries, keys and values as one layer, so that their input is quantized once.
    let qkv: Linear
    let attentionOutput: Linear
    let attentionNorm: Normalization
    let up: Linear
    let down: Linear
    let outputNorm: Normalization
  }

  /// The transformation of a masked language model's head, before the product with the vocabulary.
  struct Head {
    let transform: Linear
    let norm: Normalization
  }

  let words: TensorView
  let positions: TensorView
  let tokenTypes: UnsafePointer<Float>
  let embeddingNorm: Normalization
  /// The projection from the embedding size to the hidden size, if they differ.
  let projection: Linear?
  let head: Head?
  let layers: [Layer]

  init(
    _ container: Container, _ c: Architecture, _ memory: LayerMemory
  ) throws(VDSQError) {
    let d = c.hiddenSize
    let e = c.embeddingSize
    let epsilon = Float(c.normEpsilon)
    words = try container.table("embeddings.word", rows: c.vocabularySize, columns: e)
    positions = try container.table(
      "embeddings.position", rows: c.positions.learnedRows, columns: e)
    container.expectSparseReads(of: words)
    container.expectSparseReads(of: positions)
    tokenTypes = try container.finite("embeddings.token_type", shape: [c.tokenTypes, e])
    embeddingNorm = try container.norm("embeddings.norm", e, epsilon)
    projection =
      e == d ? nil : try Linear(container, "embeddings.projection", outputs: d, inputs: e)
    head =
      c.pooling == .mask
      ? Head(
        transform: try Linear(container, "head.transform", outputs: e, inputs: d),
        norm: try container.norm("head.norm", e, epsilon)) : nil
    var layers: [Layer] = []
    for i in 0..<c.layers {
      try memory.open(i)
      let name = "layer.\(i)"
      layers.append(
        Layer(
          qkv: try Linear(container, "\(name).attention.qkv", outputs: 3 * d, inputs: d),
          attentionOutput: try Linear(
            container, "\(name).attention.output", outputs: d, inputs: d),
          attentionNorm: try container.norm("\(name).attention.norm", d, epsilon),
          up: try Linear(
            container, "\(name).feed_forward.up", outputs: c.intermediateSize, inputs: d),
          down: try Linear(
            container, "\(name).feed_forward.down", outputs: d, inputs: c.intermediateSize),
          outputNorm: try container.norm("\(name).feed_forward.norm", d, epsilon)))
    }
    memory.opened()
    self.layers = layers
  }
}
