import VDSQFormat
import VDSQKernels

/// The tensors of an encoder, found by their names in the container.
struct EncoderWeights {
  /// The transformation of a masked language model's head, before the product with the vocabulary.
  struct Head {
    let transform: Linear
    let norm: Normalization
  }

  let words: TensorView
  /// Learned positions; nil if there are none.
  let positions: TensorView?
  /// Nil if there are none.
  let tokenTypes: UnsafePointer<Float>?
  let embeddingNorm: Normalization?
  /// The projection from the embedding size to the hidden size, if they differ.
  let projection: Linear?
  /// Nil if positions are not rotary.
  let rotary: RotaryAngles?
  /// The positions of layers with local attention, if they have their own.
  let localRotary: RotaryAngles?
  /// What distances add to scores; nil for nothing.
  let distances: DistanceBiases?
  /// The vectors of distances; nil if attention is not disentangled.
  let distanceRows: DistanceRows?
  let head: Head?
  let layers: [LayerWeights]
  /// The norm of the last layer's states, if there is one.
  let finalNorm: Normalization?

  /// - Throws: `badInput` if a tensor is missing, has another shape, or is not finite.
  init(
    _ container: Container, _ c: Architecture, _ memory: LayerMemory
  ) throws(VDSQError) {
    let d = c.hiddenSize
    let e = c.embeddingSize
    let epsilon = Float(c.normEpsilon)
    words = try container.table("embeddings.word", rows: c.vocabularySize, columns: e)
    container.expectSparseReads(of: words)
    if c.positions.learnedRows > 0 {
      let table = try container.table(
        "embeddings.position", rows: c.positions.learnedRows, columns: e)
      container.expectSparseReads(of: table)
      positions = table
    } else {
      positions = nil
    }
    tokenTypes =
      c.tokenTypes > 0
      ? try container.finite("embeddings.token_type", shape: [c.tokenTypes, e]) : nil
    embeddingNorm =
      c.hasEmbeddingNorm ? try container.norm("embeddings.norm", e, epsilon) : nil
    projection =
      e == d ? nil : try Linear(container, "embeddings.projection", outputs: d, inputs: e)
    rotary = try RotaryAngles(container, c)
    localRotary = try RotaryAngles(local: container, c)
    distances = try DistanceBiases(container, c)
    distanceRows = try DistanceRows(container, c)
    head =
      c.pooling == .mask
      ? Head(
        transform: try Linear(container, "head.transform", outputs: e, inputs: d),
        norm: try container.norm("head.norm", e, epsilon)) : nil
    layers = try LayerWeights.all(container, c, memory)
    finalNorm = c.hasFinalNorm ? try container.norm("final_norm", d, epsilon) : nil
  }
}
