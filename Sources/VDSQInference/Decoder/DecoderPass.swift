import VDSQFormat
import VDSQKernels

/// A pass of some tokens of a batch through all layers.
///
/// All tokens go through a layer before the next one, a block of them at a time: keys and values of
/// one layer suffice, and its weights are read once. With many tokens in a block, each worker takes
/// its own tokens. With few, all workers take every token through their own part of the weights, or
/// one of them takes all tokens if the layer is small.
final class DecoderPass: SharedWork {
  private let c: Architecture
  private let activation: Activation
  private let embeddingScale: Float
  private let weights: DecoderWeights
  private let words: EmbeddingRows
  private let kernels: KernelTable
  private let linear: LinearRunner
  private let plan: DecoderPlan
  private let arena: Arena
  private let keyRows: KeyRows
  let memory: LayerMemory
  /// What is added to the states of a layer; nil for nothing.
  var steering: Steering?
  /// Updates of the down projections; nil for none.
  var updates: NeuronUpdates?
  /// What sees the inputs of linear layers; nil for nothing.
  var observer: InputObserver?
  /// The input of the pass: rows of the batch, and the sequences that have some of them.
  private var batch = TokenBatch()
  private var rows = 0..<0
  private var sequences = 0..<0
  /// The destination of the states after the embeddings and each layer,
  /// `[layers + 1, tokens, hiddenSize]` over the whole batch; nil if they are not needed.
  private var trace: UnsafeMutablePointer<Float>?
  /// The number of first tokens of a sequence that are not pooled.
  var skippedTokens = 0
  /// The first layer whose states are kept, 0 for the embeddings.
  var firstTraced = 0
  /// Whether layers take turns with two halves of the keys and values, so that no worker waits for
  /// others to be done with those of the layer before.
  private var alternatesKeys = false
  /// The number of positions whose rotary angles are known.
  private var knownAngles = 0
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
    embeddingScale = Float(c.embeddingScale)
    self.weights = weights
    self.words = words
    self.kernels = kernels
    self.linear = linear
    self.plan = plan
    self.arena = arena
    keyRows = KeyRows(
      precision: plan.keyPrecision, heads: c.keyValueHeads, headSize: c.headSize, kernels: kernels)
    super.init()
  }

  /// Takes rows of a batch through all layers.
  ///
  /// - Parameters:
  ///   - rows: at most `plan.passCapacity` rows. They are the rest of `sequences`.
  ///   - trace: the destination of every layer's states; nil if they are not needed.
  func run(
    _ batch: TokenBatch, _ sequences: Range<Int>, _ rows: Range<Int>,
    trace: UnsafeMutablePointer<Float>?, on threads: ThreadPool
  ) {
    self.batch = batch
    self.sequences = sequences
    self.rows = rows
    self.trace = trace
    alternatesKeys = plan.keptTexts == 0 && 2 * rows.count <= plan.passCapacity
    for sequence in sequences {
      computeAngles(batch.offsets[sequence] + batch.range(sequence).count)
    }
    memory.beginPass()
    threads.together(workers(min(rows.count, plan.blockCapacity), among: threads.count), self)
    self.batch = TokenBatch()
    self.trace = nil
  }

  /// Above this size, the weights of a layer are shared between workers even for a single token.
  private static let largeLayer = 1 << 18

  /// How many workers share a number of rows.
  private func workers(_ rows: Int, among count: Int) -> Int {
    let isLarge = c.hiddenSize * c.intermediateSize >= Self.largeLayer
    return isLarge ? count : max(1, min(count, rows / DecoderPlan.fewTokens))
  }

  /// The part of a worker of a block: its tokens, or its outputs of each layer.
  private struct Part {
    /// Workers that have their own tokens have multiples of this many.
    static let unit = 4

    let worker: ThreadPool.Worker
    /// How many workers take part.
    let workers: Int
    /// The rows of the pass that are the block.
    let block: Range<Int>
    let sharesWeights: Bool
    /// The rows of the block that the worker takes through the layer.
    let rows: Range<Int>
    /// The rows of the block for which the worker does what is no linear layer.
    let ownRows: Range<Int>

    /// Whether all workers use only the rows of buffers that they use in a larger block.
    func keepsShares(of other: Part) -> Bool {
      if block.count == other.block.count { return true }
      if sharesWeights || other.sharesWeights { return false }
      for index in 0..<workers {
        let own = share(of: index), before = other.share(of: index)
        guard own.clamped(to: before) == own else { return false }
      }
      return true
    }

    /// The rows of a worker that has its own tokens.
    private func share(of index: Int) -> Range<Int> {
      ThreadPool.Worker.share(of: block.count, unit: Self.unit, index: index, among: workers)
    }

    /// Waits if workers need each other's outputs.
    func meet() { if sharesWeights { worker.barrier() } }

    /// The part's outputs of a layer.
    func outputs(of items: Int) -> Range<Int> {
      sharesWeights ? worker.share(of: items) : 0..<items
    }
  }

  /// The number of rows of each block but the last.
  private func blockSize(_ workers: Int) -> Int {
    // The system may provide fewer workers than are planned for.
    let capacity = min(plan.blockCapacity, DecoderPlan.workerRows * workers, rows.count)
    let rest = rows.count % capacity
    guard rest > 0, self.workers(rest, among: workers) < workers else {
      return capacity
    }
    // Blocks of equal sizes instead of a last one that leaves workers idle.
    let count = (rows.count + capacity - 1) / capacity
    return (rows.count + count - 1) / count
  }

  private func part(_ worker: ThreadPool.Worker, _ block: Range<Int>) -> Part {
    let count = block.count
    let workers = workers(count, among: worker.count)
    let sharesWeights = workers > 1 && count < DecoderPlan.fewTokens * workers
    let share = worker.share(of: count, unit: sharesWeights ? 1 : Part.unit, among: workers)
    return Part(
      worker: worker, workers: workers, block: block, sharesWeights: sharesWeights,
      rows: sharesWeights ? 0..<count : share, ownRows: share)
  }

  override func run(_ worker: ThreadPool.Worker) {
    let own = worker.share(of: rows.count)
    let size = blockSize(worker.count)
    let last = part(worker, (rows.count - 1) / size * size..<rows.count)
    let movesShares = !last.keepsShares(of: part(worker, 0..<size))
    let waits =
      trace != nil || steering != nil || !(plan.keptTexts > 0 || alternatesKeys) || movesShares
      || last.sharesWeights
    embed(own, worker.index)
    steer(0, own)
    keep(0, own)
    worker.barrier()
    for (index, layer) in weights.layers.enumerated() {
      memory.enter(index)
      var first = 0
      while first < rows.count {
        let end = min(first + size, rows.count)
        // Others may still use buffers of rows that are now the worker's.
        if first > 0, end == rows.count, movesShares { worker.barrier() }
        run(layer, index, end == rows.count ? last : part(worker, first..<end))
        first = end
      }
      // The next layer's keys and values may take the place of this one's.
      if waits { worker.barrier() }
      if trace != nil || steering?.layer == index + 1 {
        steer(index + 1, own)
        keep(index + 1, own)
        worker.barrier()
      }
      memory.leave(index, worker)
    }
    worker.barrier()
    finish(worker)
  }

  /// Takes a block through a layer. Keys and values of earlier tokens are there already.
  private func run(_ layer: LayerWeights, _ index: Int, _ part: Part) {
    var x = normalize(layer.attentionNorm, part)
    observe(.attention, index, x, c.hiddenSize, c.hiddenSize, part)
    apply(layer.qkv, x, c.hiddenSize, part, floats(plan.qkv), plan.qkvWidth)
    part.meet()
    store(layer, index, part)
    part.worker.barrier()
    attend(index, part)
    part.meet()
    // Queries are not needed any more.
    let attended = floats(plan.qkv), stride = plan.qkvWidth
    observe(
      .attentionOutput, index, floats(plan.context), plan.contextWidth, c.queryWidth, part)
    apply(
      layer.attentionOutput, floats(plan.context), plan.contextWidth, part, attended, stride)
    normalize(outputs: attended, stride, layer.attentionOutputNorm, part)
    if !c.hasParallelResidual {
      add(attended, stride, part)
      part.meet()
    }
    x = normalize(layer.feedForwardNorm, part)
    feed(x, layer, index, part)
    normalize(outputs: floats(plan.context), plan.contextWidth, layer.feedForwardOutputNorm, part)
    if c.hasParallelResidual { add(attended, stride, part) }
    add(floats(plan.context), plan.contextWidth, part)
  }

  private func floats(
    _ region: Int, row: Int = 0, _ columns: Int = 0
  ) -> UnsafeMutablePointer<Float> {
    arena.region(region, as: Float.self) + row * columns
  }

  /// The hidden state of a row of a block.
  private func hidden(_ part: Part, _ row: Int = 0) -> UnsafeMutablePointer<Float> {
    floats(plan.hidden, row: part.block.lowerBound + row, c.hiddenSize)
  }

  /// The normalized states of the worker, indexed like the rows of the block.
  private func normed(_ part: Part) -> UnsafeMutablePointer<Float> {
    arena.region(plan.normed, as: Float.self, worker: part.worker.index)
      - part.rows.lowerBound * c.hiddenSize
  }

  /// The inner states of the feed-forward network, `width` floats a row, indexed like the rows of
  /// the block. Workers that share weights share them too.
  private func inner(_ part: Part, _ width: Int) -> UnsafeMutablePointer<Float> {
    arena.region(
      plan.work, as: Float.self, worker: part.sharesWeights ? 0 : part.worker.index)
      - part.rows.lowerBound * width
  }

  /// Calls `body` with each sequence that has some of the pass's rows `wanted`: the position of the
  /// first of these rows in its text, and the rows.
  private func forEachSequence(
    _ wanted: Range<Int>, _ body: (_ sequence: Int, _ position: Int, _ rows: Range<Int>) -> Void
  ) {
    for sequence in sequences {
      let own = passRows(of: sequence)
      let some = own.clamped(to: wanted)
      guard !some.isEmpty else { continue }
      body(sequence, batch.offsets[sequence] + some.lowerBound - own.lowerBound, some)
    }
  }

  /// The rows of a sequence, counted from the first of the pass.
  private func passRows(of sequence: Int) -> Range<Int> {
    let range = batch.range(sequence)
    return range.lowerBound - rows.lowerBound..<range.upperBound - rows.lowerBound
  }

  /// Word and learned position embeddings of rows of the pass.
  private func embed(_ own: Range<Int>, _ worker: Int) {
    let d = c.hiddenSize
    let scratch = arena.region(plan.row, as: Float.self, worker: worker)
    forEachSequence(own) { _, first, some in
      for row in some {
        let position = first + row - some.lowerBound
        let state = floats(plan.hidden, row: row, d)
        let id = Int(batch.ids[rows.lowerBound + row])
        if !words.load(id, into: state, worker: worker) { unreadable = true }
        if embeddingScale != 1 { for i in 0..<d { state[i] *= embeddingScale } }
        if let table = weights.positions {
          table.load(
            table.data + position * table.record.rowBytes, row: position, kernels, into: scratch)
          kernels.addScaled(1, scratch, d, state)
        }
      }
    }
  }

  /// Makes the angles of rotary positions known up to the length of a sequence.
  private func computeAngles(_ count: Int) {
    guard let rotary = weights.rotary, count > knownAngles else { return }
    rotary.compute(knownAngles..<count, into: floats(plan.angles))
    if let local = weights.localRotary, let region = plan.localAngles {
      local.compute(knownAngles..<count, into: floats(region))
    }
    knownAngles = count
  }

  /// Changes the states of a layer, if it is the one that is steered.
  private func steer(_ layer: Int, _ own: Range<Int>) {
    guard let steering, steering.layer == layer else { return }
    steering.apply(
      to: floats(plan.hidden, row: own.lowerBound, c.hiddenSize), rows: own.count, kernels)
  }

  private func keep(_ layer: Int, _ own: Range<Int>) {
    guard let trace, layer >= firstTraced else { return }
    let d = c.hiddenSize
    let to =
      trace + ((layer - firstTraced) * batch.ids.count + rows.lowerBound + own.lowerBound) * d
    let from = floats(plan.hidden, row: own.lowerBound, d)
    for i in 0..<own.count * d { to[i] = from[i] }
  }

  /// The states that linear layers read, indexed like the rows of the block: normalized, or the
  /// hidden states if there is no norm.
  private func normalize(
    _ norm: Normalization?, _ part: Part
  ) -> UnsafeMutablePointer<Float> {
    guard let norm else { return hidden(part) }
    if !part.rows.isEmpty {
      normalize(
        hidden(part, part.rows.lowerBound), norm, part.rows.count,
        normed(part) + part.rows.lowerBound * c.hiddenSize)
    }
    return normed(part)
  }

  /// Normalizes the outputs of attention or of the feed-forward network in place, if the
  /// architecture does.
  private func normalize(
    outputs: UnsafeMutablePointer<Float>, _ stride: Int, _ norm: Normalization?, _ part: Part
  ) {
    guard let norm else { return }
    part.meet()
    for row in part.ownRows {
      normalize(outputs + row * stride, norm, 1, outputs + row * stride)
    }
    part.meet()
  }

  func normalize(
    _ x: UnsafePointer<Float>, _ norm: Normalization, _ rows: Int,
    _ y: UnsafeMutablePointer<Float>
  ) {
    kernels.normalize(x, norm, c.norm, rows: rows, columns: c.hiddenSize, into: y)
  }

  /// A linear layer over the rows of the part. `x` and `y` are indexed like the rows of the block.
  private func apply(
    _ layer: Linear, _ x: UnsafePointer<Float>, _ stride: Int, _ part: Part,
    _ y: UnsafeMutablePointer<Float>, _ outputStride: Int, _ activation: Activation = .identity
  ) {
    guard !part.rows.isEmpty else { return }
    let first = part.rows.lowerBound
    let index = part.worker.index
    let layout = kernels.activationLayout
    let scratch = QuantizedRows(
      values: UnsafeMutableRawPointer(
        arena.region(plan.quantized, as: UInt8.self, worker: index)),
      stride: layout.rowBytes(layer.panels.inputs), layout: layout,
      scales: arena.region(plan.scales, as: Float.self, worker: index),
      zeroPoints: arena.region(plan.zeroPoints, as: Int32.self, worker: index))
    linear.apply(
      layer, x + first * stride, stride: stride, rows: part.rows.count, ranges: nil,
      scratch: scratch,
      LinearOutput(
        y: y + first * outputStride, stride: outputStride, activation: activation),
      panels: part.outputs(of: layer.panels.panels))
  }

  /// Shows an input of a linear layer to the observer. `x` is indexed like the rows of the block.
  private func observe(
    _ input: LinearInput, _ layer: Int, _ x: UnsafePointer<Float>, _ stride: Int, _ columns: Int,
    _ part: Part
  ) {
    guard let observer, !part.rows.isEmpty else { return }
    let block = part.block.lowerBound
    observer.observe(
      .init(
        input: input, layer: layer,
        rows: block + part.rows.lowerBound..<block + part.rows.upperBound,
        values: x + part.rows.lowerBound * stride, stride: stride, columns: columns))
  }

  /// Adds states to the hidden states, for those that the part itself computed.
  private func add(_ states: UnsafePointer<Float>, _ stride: Int, _ part: Part) {
    let columns = columns(part)
    guard !columns.isEmpty else { return }
    for row in part.rows {
      kernels.addScaled(
        1, states + row * stride + columns.lowerBound, columns.count,
        hidden(part, row) + columns.lowerBound)
    }
  }

  /// The columns of hidden states that the part computes.
  private func columns(_ part: Part) -> Range<Int> {
    let panels = part.outputs(of: (c.hiddenSize + 15) / 16)
    let first = min(panels.lowerBound * 16, c.hiddenSize)
    return first..<max(first, min(panels.upperBound * 16, c.hiddenSize))
  }

  /// Normalizes heads if the architecture does, rotates queries and keys to their positions, and
  /// stores keys and values.
  private func store(_ layer: LayerWeights, _ index: Int, _ part: Part) {
    let block = part.block.lowerBound
    let isLocal = c.window(layer: index) != .max
    let own = isLocal ? weights.localRotary ?? weights.rotary : weights.rotary
    let rotary = c.isRotated(layer: index) ? own : nil
    let angles = floats(isLocal ? plan.localAngles ?? plan.angles : plan.angles)
    forEachSequence(block + part.ownRows.lowerBound..<block + part.ownRows.upperBound) {
      sequence, first, some in
      for row in some {
        let queries = floats(plan.qkv, row: row - block, plan.qkvWidth)
        let keys = queries + c.queryWidth
        let values = keys + c.keyValueWidth
        layer.queryNorm?.apply(to: queries, kernels)
        layer.keyNorm?.apply(to: keys, kernels)
        if let rotary {
          let position = first + row - some.lowerBound
          rotary.rotate(
            queries, heads: c.heads + c.keyValueHeads, headSize: c.headSize,
            by: angles + position * rotary.dimensions, kernels)
        }
        keyRows.store(keys, to: stored(plan.keys, index, sequence, row))
        keyRows.store(values, to: stored(plan.values, index, sequence, row))
      }
    }
  }

  /// The keys or values of a sequence in a layer.
  ///
  /// - Parameter row: a row of the sequence, counted from the first of the pass; or one before
  ///   them, of tokens of the text that were read before.
  private func stored(
    _ region: Int, _ layer: Int, _ sequence: Int, _ row: Int
  ) -> UnsafeMutableRawPointer {
    var slot = row
    if let place = batch.places[sequence] {
      let position = batch.offsets[sequence] + row - passRows(of: sequence).lowerBound
      slot = layer * plan.keyCapacity + place * plan.longest + position
    } else if alternatesKeys, layer % 2 == 1 {
      slot += plan.passCapacity / 2
    }
    return UnsafeMutableRawPointer(arena.region(region, as: UInt8.self)) + slot * keyRows.rowBytes
  }

  /// The same as floats.
  private func storedFloats(
    _ region: Int, _ layer: Int, _ sequence: Int, _ row: Int
  ) -> UnsafeMutablePointer<Float> {
    stored(region, layer, sequence, row).assumingMemoryBound(to: Float.self)
  }

  private func attend(_ index: Int, _ part: Part) {
    let scratch = arena.region(plan.work, as: Float.self, worker: part.worker.index)
    let heads = part.outputs(of: c.keyValueHeads)
    let group = c.heads / c.keyValueHeads
    let scale =
      1 / (c.attentionDivisor.map { Float($0) } ?? Float(c.headSize).squareRoot())
    let block = part.block.lowerBound
    var gathered: Int?
    forEachSequence(block + part.rows.lowerBound..<block + part.rows.upperBound) {
      sequence, position, some in
      let row = some.lowerBound - block
      let past =
        plan.widened == nil
        ? past(index, sequence, end: some.upperBound, part.worker.index, gathered: &gathered) : nil
      for head in heads {
        let first = head * group * c.headSize
        let (keys, values, stride) =
          past.map { ($0.keys + head * c.headSize, $0.values + head * c.headSize, c.keyValueWidth) }
          ?? widened(index, sequence, head, position, some.count, part.worker.index)
        kernels.causalAttention(
          CausalAttentionInput(
            queries: floats(plan.qkv, row: row, plan.qkvWidth) + first,
            queryStride: plan.qkvWidth, position: position, count: some.count, group: group,
            keys: keys, values: values, stride: stride, headSize: c.headSize,
            window: c.window(layer: index), scale: scale, cap: Float(c.attentionCap ?? 0),
            slopes: weights.slopes.map { $0 + head * group }),
          floats(plan.context, row: row, plan.contextWidth) + first, plan.contextWidth, scratch)
      }
    }
  }

  /// The keys and values of a head as floats, from position 0 on. Those of positions that no query
  /// sees are not read.
  ///
  /// - Parameters:
  ///   - position: the position of the first query.
  ///   - count: the number of queries.
  private func widened(
    _ layer: Int, _ sequence: Int, _ head: Int, _ position: Int, _ count: Int, _ worker: Int
  ) -> (keys: UnsafePointer<Float>, values: UnsafePointer<Float>, stride: Int) {
    let keys = arena.region(plan.widened!, as: Float.self, worker: worker)
    let values = keys + plan.longest * c.headSize
    let window = c.window(layer: layer)
    let seen = window > position ? 0 : position - window + 1
    let row = passRows(of: sequence).lowerBound - batch.offsets[sequence] + seen
    let length = position + count - seen, first = seen * c.headSize
    let from = stored(plan.keys, layer, sequence, row)
    let valuesFrom = stored(plan.values, layer, sequence, row)
    keyRows.load(head, from, count: length, into: keys + first)
    keyRows.load(head, valuesFrom, count: length, into: values + first)
    return (UnsafePointer(keys), UnsafePointer(values), c.headSize)
  }

  /// The keys and values of a sequence and of what it continues, from position 0 on.
  ///
  /// - Parameters:
  ///   - end: the row behind the last one that is needed.
  ///   - gathered: the continued sequence whose keys the worker has gathered in this layer.
  private func past(
    _ layer: Int, _ sequence: Int, end: Int, _ worker: Int, gathered: inout Int?
  ) -> (keys: UnsafePointer<Float>, values: UnsafePointer<Float>) {
    let own = passRows(of: sequence)
    let start = own.lowerBound - (batch.places[sequence] == nil ? 0 : batch.offsets[sequence])
    guard let preceding = batch.preceding[sequence], let region = plan.gathered else {
      return (
        UnsafePointer(storedFloats(plan.keys, layer, sequence, start)),
        UnsafePointer(storedFloats(plan.values, layer, sequence, start))
      )
    }
    let width = c.keyValueWidth
    let keys = arena.region(region, as: Float.self, worker: worker)
    let values = keys + plan.longest * width
    func copy(_ rows: Range<Int>, of sequence: Int, to position: Int) {
      let from = storedFloats(plan.keys, layer, sequence, rows.lowerBound)
      let valuesFrom = storedFloats(plan.values, layer, sequence, rows.lowerBound)
      for i in 0..<rows.count * width {
        keys[position * width + i] = from[i]
        values[position * width + i] = valuesFrom[i]
      }
    }
    if gathered != preceding {
      var next: Int? = preceding
      while let ancestor = next {
        copy(passRows(of: ancestor), of: ancestor, to: batch.offsets[ancestor])
        next = batch.preceding[ancestor]
      }
      gathered = preceding
    }
    copy(own.lowerBound..<end, of: sequence, to: batch.offsets[sequence])
    return (UnsafePointer(keys), UnsafePointer(values))
  }

  /// The feed-forward network of the normalized states. Its projections take the place of the
  /// attention's output.
  private func feed(
    _ x: UnsafePointer<Float>, _ layer: LayerWeights, _ index: Int, _ part: Part
  ) {
    let width = c.intermediateSize
    let innerWidth = c.isGated ? 2 * width : width
    let inner = inner(part, innerWidth)
    observe(.feedForward, index, x, c.hiddenSize, c.hiddenSize, part)
    apply(
      layer.up, x, c.hiddenSize, part, inner, innerWidth,
      c.isGated ? .identity : activation)
    part.meet()
    if c.isGated {
      kernels.gateRows(
        inner, part.rows, width: width, columns: part.outputs(of: width), activation)
      part.meet()
    }
    // The gated states took the place of the gates; the other rows lie between them.
    observe(.feedForwardDown, index, inner, innerWidth, width, part)
    apply(layer.down, inner, innerWidth, part, floats(plan.context), plan.contextWidth)
    updates?.add(
      to: floats(plan.context), outputStride: plan.contextWidth, columns: columns(part), of: index,
      inner, stride: innerWidth, rows: part.rows, hiddenSize: c.hiddenSize, kernels)
  }

  /// Makes the vectors of the worker's sequences.
  private func finish(_ worker: ThreadPool.Worker) {
    let share = worker.share(of: sequences.count)
    let own = sequences.lowerBound + share.lowerBound..<sequences.lowerBound + share.upperBound
    for sequence in own {
      let range = batch.range(sequence)
      let vector = floats(plan.vectors, row: sequence, c.vectorSize)
      switch c.pooling {
      case .nextToken,
        .lastToken where c.morePoolings.isEmpty:
        // The head reads the normalized state of the last token.
        normalize(hidden(row: range.upperBound - 1), weights.finalNorm, 1, vector)
      default: pool(range, to: vector, worker.index)
      }
    }
  }

  /// The hidden state of a row of the batch.
  private func hidden(row: Int) -> UnsafeMutablePointer<Float> {
    floats(plan.hidden, row: row - rows.lowerBound, c.hiddenSize)
  }

  /// Pools the normalized states of a sequence.
  private func pool(_ range: Range<Int>, to vector: UnsafeMutablePointer<Float>, _ worker: Int) {
    let state = arena.region(plan.row, as: Float.self, worker: worker)
    let skipped = min(skippedTokens, range.count - 1)
    for row in range {
      normalize(hidden(row: row), weights.finalNorm, 1, state)
      // An array of poolers would be an allocation for each text.
      for place in 0...c.morePoolings.count {
        pooler(place, skipped).add(
          state, position: row - range.lowerBound, to: vector + place * c.hiddenSize)
      }
    }
    for place in 0...c.morePoolings.count {
      pooler(place, skipped).finish(vector + place * c.hiddenSize, count: range.count)
    }
  }

  private func pooler(_ place: Int, _ skipped: Int) -> Pooler {
    Pooler(
      place == 0 ? c.pooling : c.morePoolings[place - 1], kernels, columns: c.hiddenSize,
      skipped: skipped)
  }
}
