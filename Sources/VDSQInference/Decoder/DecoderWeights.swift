import VDSQFormat
import VDSQKernels

/// The tensors of a causal language model, found by their names in the container.
struct DecoderWeights {
  struct Layer {
    let attentionNorm: Normalization
    /// Queries, keys and values as one layer, so that their input is quantized once.
    let qkv: Linear
    /// RMSNorms over each head, if the architecture has them.
    let queryNorm: Normalization?
    let keyNorm: Normalization?
    let attentionOutput: Linear
    let feedForwardNorm: Normalization
    /// The up projection; the rows of the gate come first if there is one.
    let up: Linear
    let down: Linear
  }

  let words: TensorView
  let positions: TensorView?
  /// `rotaryDimensions / 2` frequencies, in radians per position.
  let rotaryFrequencies: UnsafePointer<Float>?
  let layers: [Layer]
  let finalNorm: Normalization

  init(
    _ container: Container, _ c: Architecture, _ memory: LayerMemory
  ) throws(VDSQError) {
    let d = c.hiddenSize
    words = try container.table("embeddings.word", rows: c.vocabularySize, columns: d)
    container.expectSparseReads(of: words)
    let rows = c.positions.learnedRows, rotaryDimensions = c.positions.rotaryDimensions
    positions =
      rows > 0 ? try container.table("embeddings.position", rows: rows, columns: d) : nil
    rotaryFrequencies =
      rotaryDimensions > 0
      ? try container.finite("rotary.frequencies", shape: [rotaryDimensions / 2]) : nil
    let epsilon = Float(c.normEpsilon)
    var layers: [Layer] = []
    for i in 0..<c.layers {
      try memory.open(i)
      let name = "layer.\(i)"
      func norm(_ part: String, _ columns: Int) throws(VDSQError) -> Normalization {
        try container.norm("\(name).\(part)", columns, epsilon)
      }
      let hasHeadNorms = container.find("\(name).attention.query_norm.weight") != nil
      layers.append(
        Layer(
          attentionNorm: try norm("attention.norm", d),
          qkv: try Linear(
            container, "\(name).attention.qkv", outputs: c.queryWidth + 2 * c.keyValueWidth,
            inputs: d),
          queryNorm: hasHeadNorms ? try norm("attention.query_norm", c.headSize) : nil,
          keyNorm: hasHeadNorms ? try norm("attention.key_norm", c.headSize) : nil,
          attentionOutput: try Linear(
            container, "\(name).attention.output", outputs: d, inputs: c.queryWidth),
          feedForwardNorm: try norm("feed_forward.norm", d),
          up: try Linear(
            container, "\(name).feed_forward.up",
            outputs: (c.isGated ? 2 : 1) * c.intermediateSize, inputs: d),
          down: try Linear(
            container, "\(name).feed_forward.down", outputs: d, inputs: c.intermediateSize)))
    }
    memory.opened()
    self.layers = layers
    finalNorm = try container.norm("final_norm", d, epsilon)
    for norm in [finalNorm] + layers.map({ $0.attentionNorm })
    where (norm.bias == nil) != (c.norm == .rmsNorm) {
      throw .badInput("\(container.path): metadata: rms_norm does not agree with the norms' biases")
    }
  }
}

extension Container {
  /// A table of rows in f32, f16 or int8, whose scales are finite.
  func table(_ name: String, rows: Int, columns: Int) throws(VDSQError) -> TensorView {
    let view = try tensor(name, shape: [rows, columns])
    if let scales = view.scales { try check(scales, rows, name) }
    return view
  }

  /// A LayerNorm, or an RMSNorm if there is no bias.
  func norm(_ name: String, _ columns: Int, _ epsilon: Float) throws(VDSQError) -> Normalization {
    Normalization(
      gain: try finite("\(name).weight", shape: [columns]),
      bias: find("\(name).bias") == nil ? nil : try finite("\(name).bias", shape: [columns]),
      epsilon: epsilon)
  }
}
