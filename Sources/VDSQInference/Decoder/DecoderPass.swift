import CShims
import VDSQFormat
import VDSQKernels

/// A pass of some tokens of a batch through all layers. The keys and values of earlier tokens are
/// in the cache already.
///
/// With many tokens, each worker takes its own tokens through all layers. With few, all workers
/// take every token through their own part of each layer's weights, so that weights are read from
/// memory once.
final class DecoderPass: SharedWork {
  private let c: Architecture
  private let activation: Activation
  private let rotaryDimensions: Int
  private let rotaryScale: Float
  private let weights: DecoderWeights
  private let words: EmbeddingRows
  private let kernels: KernelTable
  private let linear: LinearRunner
  private let plan: DecoderPlan
  private let arena: Arena
  let memory: LayerMemory
  /// The input of the pass: rows of the batch, over all its sequences.
  var batch = TokenBatch()
  var rows = 0..<0
  /// The destination of the states after the embeddings and each layer,
  /// `[layers + 1, tokens, hiddenSize]` over the whole batch; nil if they are not needed.
  var trace: UnsafeMutablePointer<Float>?
  /// Set if a row of the word embeddings could not be read.
  private(set) var unreadable = false

  init(
    architecture: Architecture, weights: DecoderWeights, words: EmbeddingRows,
    kernels: KernelTable, linear: LinearRunner, plan: DecoderPlan, arena: Arena,
    memory: LayerMemory
  ) {
    self.memory = memory
    c = architecture
    activation = Activation(c.activation)
    rotaryDimensions = c.positions.rotaryDimensions
    rotaryScale = Float(c.positions.rotaryScale)
    self.weights = weights
    self.words = words
    self.kernels = kernels
    self.linear = linear
    self.plan = plan
    self.arena = arena
    super.init()
  }

  /// Below this many tokens for each worker, workers share weights instead of tokens.
  private static let fewTokens = 16

  /// The part of a worker: its tokens of the pass, or its outputs of each layer.
  private struct Part {
    let worker: ThreadPool.Worker
    let sharesWeights: Bool
    let rows: Range<Int>

    /// Waits if workers need each other's outputs.
    func meet() { if sharesWeights { worker.barrier() } }

    func share(of items: Int) -> Range<Int> {
      sharesWeights ? worker.share(of: items) : 0..<items
    }
  }

  override func run(_ worker: ThreadPool.Worker) {
    let count = rows.count
    let sharesWeights = worker.count > 1 && count < Self.fewTokens * worker.count
    let part = Part(
      worker: worker, sharesWeights: sharesWeights,
      rows: sharesWeights ? 0..<count : worker.share(of: count, unit: 4))
    let ownRows = sharesWeights ? worker.share(of: count) : part.rows
    embed(ownRows, worker.index)
    keep(0, ownRows)
    part.meet()
    for (index, layer) in weights.layers.enumerated() {
      memory.enter(index)
      normalize(layer.attentionNorm, part)
      apply(layer.qkv, normed(part), c.hiddenSize, part, plan.qkv, qkvWidth)
      part.meet()
      store(layer, index, ownRows)
      worker.barrier()
      attend(index, part)
      part.meet()
      apply(
        layer.attentionOutput, floats(plan.context), c.queryWidth, part, plan.attended,
        c.hiddenSize)
      if !c.hasParallelResidual {
        add(plan.attended, part)
        part.meet()
      }
      normalize(layer.feedForwardNorm, part)
      feed(layer, part)
      if c.hasParallelResidual { add(plan.attended, part) }
      add(plan.fed, part)
      part.meet()
      keep(index + 1, ownRows)
      memory.leave(index, worker)
    }
    finish(ownRows, worker)
  }

  private var qkvWidth: Int { c.queryWidth + 2 * c.keyValueWidth }

  private func floats(
    _ region: Int, row: Int = 0, _ columns: Int = 0
  ) -> UnsafeMutablePointer<Float> {
    arena.region(region, as: Float.self) + row * columns
  }

  /// The normalized states of the worker, indexed like the rows of the pass.
  private func normed(_ part: Part) -> UnsafeMutablePointer<Float> {
    arena.region(plan.normed, as: Float.self, worker: part.worker.index)
  }

  /// Calls `body` with each sequence that has some of the pass's rows `wanted`: its first row in
  /// the batch, and the rows.
  private func forEachSequence(
    _ wanted: Range<Int>, _ body: (_ sequence: Int, _ start: Int, _ rows: Range<Int>) -> Void
  ) {
    for sequence in 0..<batch.sequences {
      let range = batch.range(sequence)
      let own = range.lowerBound - rows.lowerBound..<range.upperBound - rows.lowerBound
      let some = own.clamped(to: wanted)
      if !some.isEmpty { body(sequence, range.lowerBound, some) }
    }
  }

  /// Word and learned position embeddings, and the angles of rotary positions.
  private func embed(_ own: Range<Int>, _ worker: Int) {
    let d = c.hiddenSize
    let scratch = arena.region(plan.row, as: Float.self, worker: worker)
    forEachSequence(own) { _, start, some in
      for row in some {
        let position = rows.lowerBound + row - start
        let state = floats(plan.hidden, row: row, d)
        let id = Int(batch.ids[rows.lowerBound + row])
        if !words.load(id, into: state, worker: worker) { unreadable = true }
        if let table = weights.positions {
          let width = EmbeddingRows.width(table.record.element)
          table.load(table.data + position * d * width, row: position, kernels, into: scratch)
          kernels.addScaled(1, scratch, d, state)
        }
        if let frequencies = weights.rotaryFrequencies {
          let half = rotaryDimensions / 2
          let angles = floats(plan.angles, row: row, rotaryDimensions)
          for i in 0..<half {
            let angle = Float(position) * frequencies[i]
            angles[i] = vdsq_cosf(angle) * rotaryScale
            angles[half + i] = vdsq_sinf(angle) * rotaryScale
          }
        }
      }
    }
  }

  private func keep(_ layer: Int, _ own: Range<Int>) {
    guard let trace else { return }
    let d = c.hiddenSize
    let to = trace + (layer * batch.ids.count + rows.lowerBound + own.lowerBound) * d
    let from = floats(plan.hidden, row: own.lowerBound, d)
    for i in 0..<own.count * d { to[i] = from[i] }
  }

  private func normalize(_ norm: Normalization, _ part: Part) {
    normalize(
      floats(plan.hidden, row: part.rows.lowerBound, c.hiddenSize), norm, part.rows.count,
      normed(part) + part.rows.lowerBound * c.hiddenSize)
  }

  func normalize(
    _ x: UnsafePointer<Float>, _ norm: Normalization, _ rows: Int,
    _ y: UnsafeMutablePointer<Float>
  ) {
    if c.norm == .rmsNorm {
      kernels.addRMSNorm(x, nil, norm, rows, c.hiddenSize, y, nil)
    } else {
      kernels.addLayerNorm(x, nil, norm, rows, c.hiddenSize, y, nil)
    }
  }

  /// A linear layer over the rows of the part. `x` and outputs are indexed like the rows of the
  /// pass.
  private func apply(
    _ layer: Linear, _ x: UnsafePointer<Float>, _ columns: Int, stride: Int? = nil, _ part: Part,
    _ region: Int, _ outputs: Int, _ activation: Activation = .identity
  ) {
    guard !part.rows.isEmpty else { return }
    let stride = stride ?? columns
    let first = part.rows.lowerBound
    let index = part.worker.index
    let layout = kernels.activationLayout
    let scratch = QuantizedRows(
      values: UnsafeMutableRawPointer(
        arena.region(plan.quantized, as: UInt8.self, worker: index)),
      stride: layout.rowBytes(columns), layout: layout,
      scales: arena.region(plan.scales, as: Float.self, worker: index),
      zeroPoints: arena.region(plan.zeroPoints, as: Int32.self, worker: index))
    linear.apply(
      layer, x + first * stride, stride: stride, rows: part.rows.count, ranges: nil,
      scratch: scratch,
      LinearOutput(
        y: floats(region, row: first, outputs), stride: outputs, activation: activation),
      panels: part.share(of: layer.panels.panels))
  }

  /// Adds the states of a region to the hidden states, for those that the part itself computed.
  private func add(_ region: Int, _ part: Part) {
    let d = c.hiddenSize
    let panels = part.share(of: (d + 15) / 16)
    let first = panels.lowerBound * 16
    let count = min(panels.upperBound * 16, d) - first
    guard count > 0 else { return }
    for row in part.rows {
      kernels.addScaled(
        1, floats(region, row: row, d) + first, count, floats(plan.hidden, row: row, d) + first)
    }
  }

  /// Normalizes heads if the architecture does, rotates queries and keys to their positions, and
  /// stores keys and values in the cache.
  private func store(_ layer: DecoderWeights.Layer, _ index: Int, _ own: Range<Int>) {
    let half = rotaryDimensions / 2
    for row in own {
      let queries = floats(plan.qkv, row: row, qkvWidth)
      let keys = queries + c.queryWidth
      let values = keys + c.keyValueWidth
      if let norm = layer.queryNorm {
        kernels.addRMSNorm(queries, nil, norm, c.heads, c.headSize, queries, nil)
      }
      if let norm = layer.keyNorm {
        kernels.addRMSNorm(keys, nil, norm, c.keyValueHeads, c.headSize, keys, nil)
      }
      if half > 0 {
        let angles = floats(plan.angles, row: row, rotaryDimensions)
        for head in 0..<c.heads + c.keyValueHeads {
          kernels.rotate(
            queries + head * c.headSize, rotaryDimensions, angles, angles + half, .halves)
        }
      }
      let to = cached(plan.keys, index, rows.lowerBound + row)
      let valuesTo = cached(plan.values, index, rows.lowerBound + row)
      for i in 0..<c.keyValueWidth {
        to[i] = keys[i]
        valuesTo[i] = values[i]
      }
    }
  }

  /// The keys or values of a token in a layer.
  private func cached(_ region: Int, _ layer: Int, _ token: Int) -> UnsafeMutablePointer<Float> {
    floats(region, row: layer * plan.tokenCapacity + token, c.keyValueWidth)
  }

  private func attend(_ index: Int, _ part: Part) {
    let scratch = arena.region(plan.attention, as: Float.self, worker: part.worker.index)
    let heads = part.share(of: c.keyValueHeads)
    let group = c.heads / c.keyValueHeads
    let scale = 1 / Float(c.headSize).squareRoot()
    forEachSequence(part.rows) { _, start, some in
      for head in heads {
        let first = head * group * c.headSize
        kernels.causalAttention(
          CausalAttentionInput(
            queries: floats(plan.qkv, row: some.lowerBound, qkvWidth) + first,
            queryStride: qkvWidth, position: rows.lowerBound + some.lowerBound - start,
            count: some.count, group: group,
            keys: cached(plan.keys, index, start) + head * c.headSize,
            values: cached(plan.values, index, start) + head * c.headSize,
            stride: c.keyValueWidth, headSize: c.headSize, window: c.window(layer: index),
            scale: scale),
          floats(plan.context, row: some.lowerBound, c.queryWidth) + first, c.queryWidth, scratch)
      }
    }
  }

  /// The feed-forward network of the normalized states.
  private func feed(_ layer: DecoderWeights.Layer, _ part: Part) {
    let width = c.intermediateSize
    let innerWidth = c.isGated ? 2 * width : width
    apply(
      layer.up, normed(part), c.hiddenSize, part, plan.inner, innerWidth,
      c.isGated ? .identity : activation)
    part.meet()
    guard c.isGated else {
      return apply(layer.down, floats(plan.inner), width, part, plan.fed, c.hiddenSize)
    }
    let columns = part.share(of: width)
    for row in part.rows {
      let gate = floats(plan.inner, row: row, innerWidth)
      kernels.gate(
        gate + columns.lowerBound, gate + width + columns.lowerBound, columns.count, activation)
    }
    part.meet()
    // The gated states take the place of the gates; the other rows lie between them.
    apply(
      layer.down, floats(plan.inner), width, stride: innerWidth, part, plan.fed, c.hiddenSize)
  }

  private func finish(_ own: Range<Int>, _ worker: ThreadPool.Worker) {
    switch c.pooling {
    case .nextToken, .lastToken: takeLast(own)
    default:
      // A sequence's states come from all workers, and one of them pools them.
      worker.barrier()
      pool(worker.share(of: batch.sequences), worker.index)
    }
  }

  /// The normalized states of the last tokens, which the head reads.
  private func takeLast(_ own: Range<Int>) {
    let d = c.hiddenSize
    forEachSequence(own) { sequence, start, some in
      guard rows.lowerBound + some.upperBound == batch.range(sequence).upperBound else { return }
      normalize(
        floats(plan.hidden, row: some.upperBound - 1, d), weights.finalNorm, 1,
        floats(plan.vectors, row: sequence, d))
    }
  }

  /// Adds the normalized states of the pass to the vectors of some sequences. A sequence may go on
  /// in the next pass.
  private func pool(_ sequences: Range<Int>, _ worker: Int) {
    let d = c.hiddenSize
    let pooler = Pooler(c.pooling, kernels, columns: d)
    let state = arena.region(plan.row, as: Float.self, worker: worker)
    forEachSequence(0..<rows.count) { sequence, start, some in
      guard sequences.contains(sequence) else { return }
      let vector = floats(plan.vectors, row: sequence, d)
      for row in some {
        normalize(floats(plan.hidden, row: row, d), weights.finalNorm, 1, state)
        pooler.add(state, position: rows.lowerBound + row - start, to: vector)
      }
      let range = batch.range(sequence)
      if rows.lowerBound + some.upperBound == range.upperBound {
        pooler.finish(vector, count: range.count)
      }
    }
  }
}
