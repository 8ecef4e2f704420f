import VDSQFormat
import VDSQInference
import VDSQKernels

/// A sentence encoder's layers in floats, forward and back: what a loss of the vectors says of low-rank updates
/// of the queries' and values' weights (Hu et al. 2021).
///
/// Weights stay as they are in the file; a layer's are decoded while they are needed. A layer's updates are
/// `[2 rank, hidden]` that states are multiplied by, for queries, then values, and as much that the products are
/// multiplied by.
final class EncoderTape: SharedWork {
  struct Layer {
    let qkv, attentionOutput, up, down: LayerPanels
    let attentionNorm, outputNorm: Normalization

    /// In the order of `panels`.
    var linears: [LayerPanels] { [qkv, attentionOutput, up, down] }
  }

  let c: Architecture
  let activation: Activation
  let kernels: KernelTable
  let rank: Int
  /// What the updates' products are multiplied by.
  let scale: Float
  let layers: [Layer]
  let panels: [Floats]
  /// Of a layer each: its inputs, queries, keys and values, inner products of the updates, both norms' deviations
  /// and the reciprocals of their sizes, and the inner states before the activation.
  let tape: [Record]
  let gradient: Floats
  let scratch: [Scratch]
  let ones: Floats
  /// Whether layers' weights are taken out of memory behind a pass.
  let releases: Bool

  /// What the next run is over.
  var batch = TokenBatch()
  var updates: UnsafePointer<Float>
  var isBackward = false
  /// `[sequences, hidden]`: forward, the pooled states; back, the loss' gradient by them.
  let pooled: Floats
  /// Gradients by the updates, of each shard of a batch.
  let shards: [Floats]

  /// Shards that a batch is cut into, whatever the threads, so that sums come out the same.
  static let shardCount = 4

  struct Record {
    let states, qkv, inner, first, second, up: Floats
  }

  struct Scratch {
    let wide, narrow, mixed, attention, head: Floats
  }

  /// Bytes that a tape takes, the layers' decoded weights among them.
  static func bytes(
    _ c: Architecture, rank: Int, tokens: Int, sequences: Int, longest: Int
  ) -> Int {
    let d = c.hiddenSize, inner = c.intermediateSize
    let panels = 4 * (d + 16) * (d + 16) + 2 * (d + 16) * (inner + 16)
    let layer = tokens * (4 * d + 2 * (d + 1) + 2 * rank + inner)
    let scratch =
      tokens * (max(inner, 3 * d) + 2 * d) + attentionScratch(c, longest) + d
    return 4
      * (panels + c.layers * layer + tokens * d + shardCount * (scratch + count(c, rank: rank))
        + sequences * d + max(inner, d))
  }

  /// Floats that a head of a sequence takes, forward or back.
  private static func attentionScratch(_ c: Architecture, _ longest: Int) -> Int {
    max(
      AttentionInput.scratch(length: longest, headSize: c.headSize),
      8 * longest * c.headSize + 2 * longest + 32)
  }

  /// How many numbers updates are.
  static func count(_ c: Architecture, rank: Int) -> Int {
    c.layers * 4 * rank * c.hiddenSize
  }

  /// - Parameters:
  ///   - tokens: tokens of a batch at most; `sequences` and `longest` likewise.
  /// - Throws: `badInput` where the container is no encoder's.
  init(
    _ container: Container, kernels: KernelTable, rank: Int, scale: Float, tokens: Int,
    sequences: Int, longest: Int, releases: Bool = false, updates: UnsafePointer<Float>
  ) throws(VDSQError) {
    self.kernels = kernels
    self.releases = releases
    self.rank = rank
    self.scale = scale
    self.updates = updates
    let c = try Architecture(container.metadata)
    self.c = c
    activation = Activation(c.activation)
    let d = c.hiddenSize, inner = c.intermediateSize
    var layers: [Layer] = []
    for i in 0..<c.layers {
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
    tape = (0..<c.layers).map { _ in
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
    shards = (0..<Self.shardCount).map { _ in Floats(Self.count(c, rank: rank)) }
    scratch = (0..<Self.shardCount).map { _ in
      Scratch(
        wide: Floats(tokens * max(inner, 3 * d)), narrow: Floats(tokens * d),
        mixed: Floats(tokens * d),
        attention: Floats(Self.attentionScratch(c, longest)),
        head: Floats(d))
    }
    super.init()
  }

  /// The states after the embeddings, `[tokens, hidden]`, which come from elsewhere.
  var embeddings: UnsafeMutablePointer<Float> { tape[0].states.p }

  override func run(_ worker: ThreadPool.Worker) {
    if isBackward { beginBack(worker) }
    for step in layers.indices {
      let index = isBackward ? layers.count - 1 - step : step
      let layer = layers[index]
      for (linear, to) in zip(layer.linears, panels) {
        let own = worker.share(of: linear.panels)
        if isBackward {
          linear.decodeTransposed(own, into: to.p)
        } else {
          linear.decode(own, into: to.p)
        }
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
  func shard(_ index: Int) -> (sequences: Range<Int>, rows: Range<Int>) {
    let n = batch.sequences
    let sequences = n * index / Self.shardCount..<n * (index + 1) / Self.shardCount
    guard !sequences.isEmpty else { return (sequences, 0..<0) }
    let first = batch.range(sequences.lowerBound).lowerBound
    return (sequences, first..<batch.range(sequences.upperBound - 1).upperBound)
  }
}
