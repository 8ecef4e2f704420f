import VDSQFormat
import VDSQKernels

/// The tensors of a causal language model, found by their names in the container.
struct DecoderWeights {
  let words: TensorView
  let positions: TensorView?
  /// Nil if positions are not rotary.
  let rotary: RotaryAngles?
  /// The positions of layers with local attention, if they have their own.
  let localRotary: RotaryAngles?
  /// What a position of distance costs each head; nil for nothing.
  let slopes: UnsafePointer<Float>?
  let layers: [LayerWeights]
  let finalNorm: Normalization

  init(
    _ container: Container, _ c: Architecture, _ memory: LayerMemory
  ) throws(VDSQError) {
    let d = c.hiddenSize
    words = try container.table("embeddings.word", rows: c.vocabularySize, columns: d)
    container.expectSparseReads(of: words)
    let rows = c.positions.learnedRows
    positions =
      rows > 0 ? try container.table("embeddings.position", rows: rows, columns: d) : nil
    rotary = try RotaryAngles(container, c)
    localRotary = try RotaryAngles(local: container, c)
    slopes =
      c.distanceBias == .linear
      ? try container.finite("attention.slopes", shape: [c.heads]) : nil
    layers = try LayerWeights.all(container, c, memory)
    finalNorm = try container.norm("final_norm", d, Float(c.normEpsilon))
    guard finalNorm.bias == nil || c.norm == .layerNorm else {
      throw .badInput("\(container.path): metadata: rms_norm does not agree with the norms' biases")
    }
  }
}

extension Container {
  /// A table of rows whose scales are finite.
  func table(_ name: String, rows: Int, columns: Int) throws(VDSQError) -> TensorView {
    let isGrouped = find(name)?.record.order == .rowGroups
    let view = try tensor(
      name, shape: [rows, columns], order: isGrouped ? .rowGroups : .rowMajor)
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
