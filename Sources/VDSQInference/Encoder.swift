public import VDSQFormat
public import VDSQKernels

/// The forward pass of a BERT-family encoder: token ids in, one vector a sequence out.
///
/// All memory is one arena, planned from the configuration before the first token. A sequence's
/// vector does not depend on what else is in its batch.
public final class Encoder {
  public let configuration: EncoderConfiguration
  public let plan: MemoryPlan
  private let container: Container
  private let weights: EncoderWeights
  private let kernels: KernelTable
  private let threads: ThreadPool
  private let linear: LinearRunner
  private let arena: Arena

  /// - Parameter tokenCapacity: tokens that one pass takes at most; raised to the model's longest
  ///   sequence.
  /// - Throws: `badInput` where the container is no encoder's, `budgetTooSmall` where there is no
  ///   memory for the arena.
  public init(
    _ container: Container, kernels: KernelTable, threads: ThreadPool, precision: Precision,
    tokenCapacity: Int
  ) throws(VDSQError) {
    self.container = container
    self.kernels = kernels
    self.threads = threads
    configuration = try EncoderConfiguration(container.metadata)
    weights = try EncoderWeights(container, configuration)
    linear = LinearRunner(kernels: kernels, threads: threads, precision: precision)
    plan = MemoryPlan(
      configuration, tokenCapacity: max(tokenCapacity, configuration.maximumTokens),
      threads: threads.count)
    arena = try Arena(plan)
  }

  /// Encodes a batch of at most `plan.tokenCapacity` tokens.
  ///
  /// - Returns: `[sequences, hiddenSize]` floats, valid until the next call.
  /// - Throws: `badInput` where an id is not in the vocabulary, or weights make numbers that are not
  ///   finite.
  public func encode(_ batch: TokenBatch) throws(VDSQError) -> UnsafePointer<Float> {
    let d = configuration.hiddenSize
    let rows = batch.ids.count
    guard rows <= plan.tokenCapacity, batch.sequences <= plan.sequenceCapacity else {
      throw VDSQError(.internalFault, "a batch of \(rows) tokens exceeds the memory plan")
    }
    try embed(batch)
    for layer in weights.layers {
      attend(batch, layer, rows)
      feedForward(layer, rows)
    }
    let hidden = arena.region(plan.hidden, as: Float.self)
    let vectors = arena.region(plan.vectors, as: Float.self)
    for sequence in 0..<batch.sequences {
      let range = batch.range(sequence)
      let vector = vectors + sequence * d
      pool(hidden + range.lowerBound * d, range.count, into: vector)
      try finish(vector)
    }
    return UnsafePointer(vectors)
  }

  /// The sum of word, position and token type embeddings, normalized.
  private func embed(_ batch: TokenBatch) throws(VDSQError) {
    let d = configuration.hiddenSize
    let hidden = arena.region(plan.hidden, as: Float.self)
    let row = arena.region(plan.row, as: Float.self)
    for sequence in 0..<batch.sequences {
      let range = batch.range(sequence)
      for i in range {
        let state = hidden + i * d
        try word(Int(batch.ids[i]), into: state)
        let position = weights.positions.data + (i - range.lowerBound) * d * 2
        kernels.dequantizeHalf(position, d, row)
        kernels.addScaled(1, row, d, state)
        kernels.addScaled(1, weights.tokenTypes, d, state)
      }
    }
    let norm = weights.embeddingNorm
    kernels.addLayerNorm(
      hidden, nil, norm.gain, norm.bias, configuration.layerNormEpsilon, batch.ids.count, d, hidden)
  }

  /// A word's embedding, read from the file rather than the map: a text touches few rows of the
  /// table, and mapped pages around each would become resident.
  private func word(_ id: Int, into state: UnsafeMutablePointer<Float>) throws(VDSQError) {
    guard id >= 0, id < configuration.vocabularySize else {
      throw .badInput("\(container.path): token id \(id) is not in the embedding table")
    }
    let d = configuration.hiddenSize
    let bytes = UnsafeMutableRawPointer(arena.region(plan.row, as: UInt8.self))
    if weights.words.record.element == .int8 {
      try container.file.read(into: bytes, count: d, at: weights.words.fileOffset + id * d)
      let values = bytes.assumingMemoryBound(to: Int8.self)
      let scale = weights.words.scales![id]
      for i in 0..<d { state[i] = Float(values[i]) * scale }
    } else {
      try container.file.read(into: bytes, count: d * 2, at: weights.words.fileOffset + id * d * 2)
      kernels.dequantizeHalf(bytes, d, state)
    }
  }

  private func attend(_ batch: TokenBatch, _ layer: EncoderWeights.Layer, _ rows: Int) {
    let c = configuration
    let d = c.hiddenSize
    let hidden = arena.region(plan.hidden, as: Float.self)
    let qkv = arena.region(plan.qkv, as: Float.self)
    let context = arena.region(plan.context, as: Float.self)
    let projected = arena.region(plan.projected, as: Float.self)
    let scratch = arena.region(plan.attention, as: Float.self)
    linear.apply(
      layer.qkv, hidden, rows: rows, activation: .identity, scratch: quantized(d), y: qkv)
    let run = { (item: Int, worker: Int) in
      let range = batch.range(item / c.heads)
      let column = item % c.heads * c.headSize
      let first = qkv + range.lowerBound * 3 * d + column
      self.kernels.attention(
        AttentionInput(
          queries: first, keys: first + d, values: first + 2 * d, stride: 3 * d,
          length: range.count, headSize: c.headSize),
        context + range.lowerBound * d + column, d,
        scratch + worker * MemoryPlan.attentionFloats(c))
    }
    let items = batch.sequences * c.heads
    if rows * d < 16_384 {
      for item in 0..<items { run(item, 0) }
    } else {
      threads.run(items, run)
    }
    linear.apply(
      layer.attentionOutput, context, rows: rows, activation: .identity, scratch: quantized(d),
      y: projected)
    kernels.addLayerNorm(
      projected, hidden, layer.attentionNorm.gain, layer.attentionNorm.bias, c.layerNormEpsilon,
      rows, d, hidden)
  }

  private func feedForward(_ layer: EncoderWeights.Layer, _ rows: Int) {
    let c = configuration
    let d = c.hiddenSize
    let hidden = arena.region(plan.hidden, as: Float.self)
    let projected = arena.region(plan.projected, as: Float.self)
    let inner = arena.region(plan.intermediate, as: Float.self)
    var first = 0
    while first < rows {
      let count = min(MemoryPlan.feedForwardRows, rows - first)
      linear.apply(
        layer.up, hidden + first * d, rows: count, activation: c.activation,
        scratch: quantized(d), y: inner)
      let scratch = QuantizedRows(
        values: arena.region(plan.intermediateQuantized, as: UInt8.self),
        stride: MemoryPlan.quantizedStride(c.intermediateSize),
        scales: arena.region(plan.scales, as: Float.self),
        zeroPoints: arena.region(plan.zeroPoints, as: Int32.self))
      linear.apply(
        layer.down, inner, rows: count, activation: .identity, scratch: scratch,
        y: projected + first * d)
      first += count
    }
    kernels.addLayerNorm(
      projected, hidden, layer.outputNorm.gain, layer.outputNorm.bias, c.layerNormEpsilon, rows, d,
      hidden)
  }

  private func quantized(_ columns: Int) -> QuantizedRows {
    QuantizedRows(
      values: arena.region(plan.quantized, as: UInt8.self),
      stride: MemoryPlan.quantizedStride(columns),
      scales: arena.region(plan.scales, as: Float.self),
      zeroPoints: arena.region(plan.zeroPoints, as: Int32.self))
  }

  private func pool(
    _ states: UnsafePointer<Float>, _ count: Int, into vector: UnsafeMutablePointer<Float>
  ) {
    let d = configuration.hiddenSize
    for i in 0..<d { vector[i] = states[i] }
    switch configuration.pooling {
    case .first:
      return
    case .max:
      for row in 1..<max(1, count) {
        for i in 0..<d where states[row * d + i] > vector[i] { vector[i] = states[row * d + i] }
      }
    case .mean, .meanSquareRoot:
      for row in 1..<max(1, count) { kernels.addScaled(1, states + row * d, d, vector) }
      let n = Float(count)
      let scale = 1 / (configuration.pooling == .mean ? n : n.squareRoot())
      for i in 0..<d { vector[i] *= scale }
    }
  }

  /// Scales to length 1 where the model says so, and refuses what is no number.
  private func finish(_ vector: UnsafeMutablePointer<Float>) throws(VDSQError) {
    let d = configuration.hiddenSize
    var square: Float = 0
    kernels.dotRows(vector, vector, 1, d, &square)
    guard square.isFinite else {
      throw .badInput(
        "\(container.path): the weights make numbers that are not finite; check the file with "
          + "vdsq inspect --verify")
    }
    if configuration.normalize, square > 0 {
      let scale = 1 / square.squareRoot()
      for i in 0..<d { vector[i] *= scale }
    }
  }
}
