package import VDSQFormat
package import VDSQInference
package import VDSQKernels

/// The upper layers of a sentence encoder, forward and backward. Computes the gradient of a loss over
/// vectors with respect to low-rank updates of query and value weights (Hu et al. 2021).
///
/// The forward pass multiplies as the encoder does, so int8 weights by quantized states; the
/// backward pass takes products for exact ones. Weights stay unchanged in the file; those of a layer
/// are decoded while the backward pass needs them. The
/// updates of a layer are `[2 rank, hidden]` rows A that multiply states, for queries and then
/// values, and as many rows B that multiply the products.
package final class EncoderTape: SharedWork {
  package struct Layer {
    package let qkv, attentionOutput, up, down: LayerPanels
    package let attentionNorm, outputNorm: Normalization

    /// In the order of `panels`.
    package var linears: [LayerPanels] { [qkv, attentionOutput, up, down] }
  }

  package let c: Architecture
  /// The first layer that is updated. Its inputs are given.
  package let first: Int
  package let activation: Activation
  package let kernels: KernelTable
  package let runner: LinearRunner
  package let rank: Int
  /// The factor of the products of the updates.
  package let scale: Float
  package let layers: [Layer]
  package let panels: [Floats]
  /// For each updated layer: its inputs, queries, keys and values, inner products of the updates,
  /// normalised deviations and reciprocal standard deviations of both norms, and the inner states
  /// before the activation.
  package let tape: [Record]
  package let gradient: Floats
  package let scratch: [Scratch]
  package let ones: Floats
  /// Whether the weights of layers are released behind a pass.
  package let releases: Bool

  /// The input of the next run.
  package var batch = TokenBatch()
  package var updates: UnsafePointer<Float>
  package var isBackward = false
  /// `[sequences, hidden]`: the pooled states in the forward pass, and the gradient of the loss
  /// with respect to them in the backward pass.
  package let pooled: Floats
  /// The gradients with respect to the updates, for each shard of a batch.
  package let shards: [Floats]

  /// The number of shards of a batch. It does not depend on the threads, so that sums are
  /// bit-identical.
  package static let shardCount = 4

  package struct Record {
    package let states, qkv, inner, first, second, up: Floats
  }

  package struct Scratch {
    package let wide, narrow, mixed, attention, head: Floats
    /// Quantized rows, their scales and zero points.
    package let integers: Floats
    fileprivate let tokens: Int

    /// Room for rows of a number of columns.
    func quantized(_ columns: Int, _ kernels: KernelTable) -> QuantizedRows {
      let layout = kernels.activationLayout
      let zeroPoints = UnsafeMutableRawPointer(integers.p + tokens)
      return QuantizedRows(
        values: UnsafeMutableRawPointer(integers.p + 2 * tokens),
        stride: layout.rowBytes(columns), layout: layout, scales: integers.p,
        zeroPoints: zeroPoints.assumingMemoryBound(to: Int32.self))
    }

    /// The number of floats in place of quantized rows of one or two bytes a column.
    fileprivate static func integers(_ c: Architecture, tokens: Int) -> Int {
      tokens * (2 + (max(c.intermediateSize, c.hiddenSize) + 64) / 2)
    }
  }

  /// The size of a tape in bytes, including the decoded weights of layers.
  package static func bytes(
    _ c: Architecture, first: Int = 0, rank: Int, tokens: Int, sequences: Int, longest: Int
  ) -> Int {
    let d = c.hiddenSize, inner = c.intermediateSize
    let panels = 4 * (d + 16) * (d + 16) + 2 * (d + 16) * (inner + 16)
    let layer = tokens * (4 * d + 2 * (d + 1) + 2 * rank + inner)
    let scratch =
      tokens * (max(inner, 3 * d) + 2 * d) + attentionScratch(c, longest) + d
      + Scratch.integers(c, tokens: tokens)
    return 4
      * (panels + (c.layers - first) * layer + tokens * d
        + shardCount * (scratch + count(c, first: first, rank: rank))
        + sequences * d + max(inner, d))
  }

  /// The number of floats for a head of a sequence, forward or backward.
  private static func attentionScratch(_ c: Architecture, _ longest: Int) -> Int {
    max(
      AttentionInput.scratch(length: longest, headSize: c.headSize),
      8 * longest * c.headSize + 2 * longest + 32)
  }

  /// The number of elements of the updates.
  package static func count(_ c: Architecture, first: Int = 0, rank: Int) -> Int {
    (c.layers - first) * 4 * rank * c.hiddenSize
  }

  /// - Parameters:
  ///   - tokens: the maximum number of tokens of a batch; `sequences` and `longest` likewise.
  /// - Throws: `badInput` if the container does not hold an encoder.
  package init(
    _ container: Container, kernels: KernelTable, precision: Precision, first: Int = 0, rank: Int,
    scale: Float,
    tokens: Int, sequences: Int, longest: Int, releases: Bool = false, updates: UnsafePointer<Float>
  ) throws(VDSQError) {
    self.kernels = kernels
    runner = LinearRunner(kernels: kernels, precision: precision)
    self.releases = releases
    self.rank = rank
    self.scale = scale
    self.updates = updates
    let c = try Architecture(container.metadata)
    self.c = c
    self.first = first
    activation = Activation(c.activation)
    let d = c.hiddenSize, inner = c.intermediateSize
    var layers: [Layer] = []
    for i in first..<c.layers {
      let name = "layer.\(i)"
      func norm(_ part: String) throws(VDSQError) -> Normalization {
        Normalization(
          gain: try container.floats("\(name).\(part).norm.weight", shape: [d]),
          bias: try container.floats("\(name).\(part).norm.bias", shape: [d]),
          epsilon: Float(c.normEpsilon))
      }
      layers.append(
        Layer(
          qkv: try LayerPanels(container, "\(name).attention.qkv", outputs: 3 * d, inputs: d),
          attentionOutput: try LayerPanels(
            container, "\(name).attention.output", outputs: d, inputs: d),
          up: try LayerPanels(container, "\(name).feed_forward.up", outputs: inner, inputs: d),
          down: try LayerPanels(container, "\(name).feed_forward.down", outputs: d, inputs: inner),
          attentionNorm: try norm("attention"), outputNorm: try norm("feed_forward")))
    }
    self.layers = layers
    panels = layers[0].linears.map { Floats($0.count) }
    tape = (first..<c.layers).map { _ in
      Record(
        states: Floats(tokens * d), qkv: Floats(tokens * 3 * d + 32),
        inner: Floats(tokens * 2 * rank),
        first: Floats(tokens * (d + 1)), second: Floats(tokens * (d + 1)),
        up: Floats(tokens * inner))
    }
    gradient = Floats(tokens * d)
    ones = Floats(max(inner, d))
    for i in 0..<ones.count { ones.p[i] = 1 }
    pooled = Floats(sequences * d)
    shards = (0..<Self.shardCount).map { _ in Floats(Self.count(c, first: first, rank: rank)) }
    scratch = (0..<Self.shardCount).map { _ in
      Scratch(
        wide: Floats(tokens * max(inner, 3 * d)), narrow: Floats(tokens * d),
        mixed: Floats(tokens * d),
        attention: Floats(Self.attentionScratch(c, longest)),
        head: Floats(d), integers: Floats(Scratch.integers(c, tokens: tokens)), tokens: tokens)
    }
    super.init()
  }

  /// The inputs of the first layer, `[tokens, hidden]`, which the caller provides.
  package var inputs: UnsafeMutablePointer<Float> { tape[0].states.p }

  package override func run(_ worker: ThreadPool.Worker) {
    if isBackward { beginBack(worker) }
    for step in layers.indices {
      let index = isBackward ? layers.count - 1 - step : step
      let layer = layers[index]
      for (linear, to) in zip(layer.linears, panels) where isBackward {
        linear.decodeTransposed(worker.share(of: linear.panels), into: to.p)
      }
      worker.barrier()
      for i in worker.share(of: Self.shardCount) {
        let (sequences, rows) = shard(i)
        if rows.isEmpty { continue }
        if isBackward {
          back(index, layer, sequences, rows, scratch[i], shards[i].p)
        } else {
          forward(index, layer, sequences, rows, scratch[i])
        }
      }
      worker.barrier()
      if releases, worker.index == 0 { layer.qkv.release() }
    }
  }

  /// The sequences and tokens of a shard.
  package func shard(_ index: Int) -> (sequences: Range<Int>, rows: Range<Int>) {
    let n = batch.sequences
    let sequences = n * index / Self.shardCount..<n * (index + 1) / Self.shardCount
    guard !sequences.isEmpty else { return (sequences, 0..<0) }
    let first = batch.range(sequences.lowerBound).lowerBound
    return (sequences, first..<batch.range(sequences.upperBound - 1).upperBound)
  }
}
