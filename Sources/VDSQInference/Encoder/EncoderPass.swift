import VDSQFormat
import VDSQKernels

/// A pass of some sequences through all layers. Each worker takes its own rows. Workers meet only
/// around attention, the one step that reads other rows.
final class EncoderPass: SharedWork {
  private let c: Architecture
  private let activation: Activation
  private let headActivation: Activation
  private let embeddingScale: Float
  private let attentionDivisor: Float?
  /// Floats of a row of queries, keys and values.
  private let qkvWidth: Int
  private let weights: EncoderWeights
  private let words: EmbeddingRows
  private let kernels: KernelTable
  private let linear: LinearRunner
  private let plan: MemoryPlan
  private let arena: Arena
  /// The input of the pass.
  var batch = TokenBatch()
  var sequences = 0..<0
  /// The destination of the states after the embeddings and each layer,
  /// `[layers + 1, tokens, hiddenSize]` over the whole batch; nil if they are not needed.
  var trace: UnsafeMutablePointer<Float>?
  /// The number of first tokens of a sequence that are not pooled.
  var skippedTokens = 0
  /// The first layer whose states are kept, 0 for the embeddings.
  var firstTraced = 0
  /// Intermediate layers whose states are appended to the output vector.
  let intermediateFeatures: [IntermediateFeature]
  /// Low-rank updates of the weights; nil for none.
  private let updates: LowRankUpdates?
  let memory: LayerMemory
  /// What is added to the states of a layer; nil for nothing.
  var steering: Steering?
  /// What sees the inputs of linear layers; nil for nothing.
  var observer: InputObserver?
  /// Set if a row of the word embeddings could not be read.
  private(set) var unreadable = false

  init(
    architecture: Architecture, weights: EncoderWeights, words: EmbeddingRows,
    kernels: KernelTable, linear: LinearRunner, plan: MemoryPlan, arena: Arena,
    intermediateFeatures: [IntermediateFeature], updates: LowRankUpdates?, memory: LayerMemory
  ) {
    self.updates = updates
    self.memory = memory
    self.intermediateFeatures = intermediateFeatures
    c = architecture
    activation = Activation(c.activation)
    headActivation = Activation(c.headActivation)
    embeddingScale = Float(c.embeddingScale)
    attentionDivisor = c.attentionDivisor.map { Float($0) }
    qkvWidth = c.queryWidth + 2 * c.keyValueWidth
    self.weights = weights
    self.words = words
    self.kernels = kernels
    self.linear = linear
    self.plan = plan
    self.arena = arena
    super.init()
  }

  /// The part of one worker. Row 0 is the first token of the first sequence.
  override func run(_ worker: ThreadPool.Worker) {
    if c.isStatic { return lookUp(worker) }
    let origin = batch.range(sequences.lowerBound).lowerBound
    let total = batch.range(sequences.upperBound - 1).upperBound - origin
    let rows = worker.share(of: total, unit: 4)
    embed(origin, rows, worker.index)
    steer(0, rows)
    keep(0, origin, rows)
    for (index, layer) in weights.layers.enumerated() {
      memory.enter(index)
      project(layer, index, rows, worker.index)
      place(layer, index, origin, rows)
      if let updates { update(updates, index, rows, worker.index) }
      if let distances = weights.distanceRows { project(distances, layer, worker) }
      worker.barrier()
      if let distances = weights.distanceRows {
        for sequence in sequences {
          attend(distances, layer, batch.range(sequence), origin, worker)
        }
        worker.barrier()
      } else {
        for sequence in sequences {
          let range = batch.range(sequence)
          let own = range.lowerBound - origin..<range.upperBound - origin
          attend(layer, index, own, own.clamped(to: rows), worker.index)
        }
      }
      mix(layer, index, rows, worker.index)
      feedForward(layer, index, rows, worker.index)
      steer(index + 1, rows)
      keep(index + 1, origin, rows)
      memory.leave(index, worker)
      worker.barrier()
      if intermediateFeatures.contains(where: { $0.layer == index + 1 }) {
        for (place, state) in intermediateFeatures.enumerated() where state.layer == index + 1 {
          takeIntermediate(state, place, origin, worker)
        }
        // The next layer overwrites the states.
        worker.barrier()
      }
    }
    if let norm = weights.finalNorm {
      let states = floats(plan.hidden, row: rows.lowerBound, c.hiddenSize)
      kernels.normalize(
        states, norm, c.norm, rows: rows.count, columns: c.hiddenSize, into: states)
      worker.barrier()
    }
    for sequence in worker.share(of: sequences.count) {
      pool(
        batch.range(sequences.lowerBound + sequence), origin, sequences.lowerBound + sequence,
        worker.index)
    }
  }

  /// The pass of static embeddings: each sequence is pooled row by row, so that no state is kept.
  private func lookUp(_ worker: ThreadPool.Worker) {
    let d = c.hiddenSize
    let row = arena.region(plan.row, as: Float.self, worker: worker.index)
    for index in worker.share(of: sequences.count) {
      let sequence = sequences.lowerBound + index
      let range = batch.range(sequence)
      let vector = floats(plan.vectors, row: sequence, plan.stateSize)
      // A text without tokens has the vector zero.
      guard !range.isEmpty else {
        for i in 0..<d { vector[i] = 0 }
        continue
      }
      let pooler = Pooler(
        c.pooling, kernels, columns: d, skipped: min(skippedTokens, range.count - 1))
      for place in range {
        if !words.load(Int(batch.ids[place]), into: row, worker: worker.index) { unreadable = true }
        if let trace {
          for i in 0..<d { trace[place * d + i] = row[i] }
        }
        if let steering, steering.layer == 0 { steering.apply(to: row, rows: 1, kernels) }
        pooler.add(row, position: place - range.lowerBound, to: vector)
      }
      pooler.finish(vector, count: range.count)
    }
  }

  /// Appends the states of an intermediate layer as vectors of length 1, behind the vector of the
  /// last layer.
  private func takeIntermediate(
    _ state: IntermediateFeature, _ place: Int, _ origin: Int, _ worker: ThreadPool.Worker
  ) {
    let d = c.hiddenSize
    for index in worker.share(of: sequences.count) {
      let sequence = sequences.lowerBound + index
      let vector =
        floats(plan.vectors, row: sequence, plan.stateSize) + c.vectorSize + place * d
      let range = batch.range(sequence)
      if state.tokens == .firstToken {
        let row = min(range.lowerBound + 1, range.upperBound - 1) - origin
        let first = floats(plan.hidden, row: row, d)
        for i in 0..<d { vector[i] = first[i] }
      } else {
        pool(range, origin, into: vector)
      }
      var square: Float = 0
      kernels.dotRows(vector, vector, 1, d, &square)
      let scale = square > 0 ? 1 / square.squareRoot() : 0
      for i in 0..<d { vector[i] *= scale }
    }
  }

  private func floats(_ region: Int, row: Int = 0, _ columns: Int = 0) -> UnsafeMutablePointer<
    Float
  > {
    arena.region(region, as: Float.self) + row * columns
  }

  private func ranges(_ row: Int) -> RowRanges {
    RowRanges(lanes: floats(plan.ranges, row: row, 32))
  }

  private func quantized(_ columns: Int, _ worker: Int) -> QuantizedRows {
    QuantizedRows(
      values: UnsafeMutableRawPointer(
        arena.region(plan.quantized, as: UInt8.self, worker: worker)),
      stride: kernels.activationLayout.rowBytes(columns), layout: kernels.activationLayout,
      scales: arena.region(plan.scales, as: Float.self, worker: worker),
      zeroPoints: arena.region(plan.zeroPoints, as: Int32.self, worker: worker))
  }

  /// Calls `body` with blocks of rows that fit the scratch regions.
  private func forEachBlock(_ rows: Range<Int>, _ body: (_ first: Int, _ count: Int) -> Void) {
    var first = rows.lowerBound
    while first < rows.upperBound {
      let count = min(MemoryPlan.feedForwardRows, rows.upperBound - first)
      body(first, count)
      first += count
    }
  }

  /// The sum of word, position and token type embeddings, normalized, as far as the model has them.
  private func embed(_ origin: Int, _ rows: Range<Int>, _ worker: Int) {
    let d = c.embeddingSize
    let sums = weights.projection == nil ? plan.hidden : plan.projected
    let scratch = arena.region(plan.row, as: Float.self, worker: worker)
    for sequence in sequences {
      let range = batch.range(sequence)
      let own = range.lowerBound - origin..<range.upperBound - origin
      for row in own.clamped(to: rows) {
        let state = floats(sums, row: row, d)
        if !words.load(Int(batch.ids[origin + row]), into: state, worker: worker) {
          unreadable = true
        }
        if embeddingScale != 1 { for i in 0..<d { state[i] *= embeddingScale } }
        if let table = weights.positions, let region = plan.positions {
          let position = row - own.lowerBound
          table.load(
            arena.region(region, as: UInt8.self) + position * table.record.rowBytes,
            row: position, kernels, into: scratch)
          kernels.addScaled(1, scratch, d, state)
        }
        if let types = weights.tokenTypes {
          let isSecond = origin + row >= batch.secondStarts[sequence]
          kernels.addScaled(1, types + (isSecond ? d : 0), d, state)
        }
      }
    }
    let state = floats(sums, row: rows.lowerBound, d)
    if let norm = weights.embeddingNorm {
      kernels.normalize(
        state, norm, c.norm, rows: rows.count, columns: d, into: state,
        ranges: ranges(rows.lowerBound))
    }
    guard let projection = weights.projection else { return }
    forEachBlock(rows) { first, count in
      linear.apply(
        projection, floats(sums, row: first, d), rows: count,
        ranges: weights.embeddingNorm == nil ? nil : ranges(first),
        scratch: quantized(d, worker),
        LinearOutput(y: floats(plan.hidden, row: first, c.hiddenSize), stride: c.hiddenSize))
    }
  }

  /// Changes the states of a layer, if it is the one that is steered.
  private func steer(_ layer: Int, _ rows: Range<Int>) {
    guard let steering, steering.layer == layer else { return }
    steering.apply(
      to: floats(plan.hidden, row: rows.lowerBound, c.hiddenSize), rows: rows.count, kernels)
  }

  private func keep(_ layer: Int, _ origin: Int, _ rows: Range<Int>) {
    guard let trace, layer >= firstTraced else { return }
    let d = c.hiddenSize
    let to = trace + ((layer - firstTraced) * batch.ids.count + origin + rows.lowerBound) * d
    let from = floats(plan.hidden, row: rows.lowerBound, d)
    for i in 0..<rows.count * d { to[i] = from[i] }
  }

  /// Whether the extremes of the states that a layer reads are known: norms tell those of their
  /// outputs.
  private func knowsRanges(_ layer: Int) -> Bool {
    guard steering?.layer != layer else { return false }
    return layer == 0
      ? weights.embeddingNorm != nil && weights.projection == nil : c.normPlacement == .post
  }

  /// The input of linear layers: rows of the states, normalized if a norm precedes the layers. The
  /// normalized rows take the place of projections.
  private func input(
    _ norm: Normalization?, _ first: Int, _ count: Int, knowsRanges: Bool
  ) -> (x: UnsafePointer<Float>, ranges: RowRanges?) {
    let d = c.hiddenSize
    let hidden = floats(plan.hidden, row: first, d)
    guard c.normPlacement != .post, let norm else {
      return (UnsafePointer(hidden), knowsRanges ? ranges(first) : nil)
    }
    let normed = floats(plan.projected, row: first, d)
    kernels.normalize(
      hidden, norm, c.norm, rows: count, columns: d, into: normed, ranges: ranges(first))
    return (UnsafePointer(normed), ranges(first))
  }

  /// Adds rows of projections to the states, with the norms of the layer. In a post-norm layer
  /// `norm` follows the addition.
  private func add(
    _ first: Int, _ count: Int, _ norm: Normalization?, outputNorm: Normalization?
  ) {
    let d = c.hiddenSize
    let hidden = floats(plan.hidden, row: first, d)
    let projected = floats(plan.projected, row: first, d)
    if c.normPlacement == .post, let norm {
      return kernels.addLayerNorm(projected, hidden, norm, count, d, hidden, ranges(first))
    }
    if let outputNorm {
      kernels.normalize(projected, outputNorm, c.norm, rows: count, columns: d, into: projected)
    }
    kernels.addScaled(1, projected, count * d, hidden)
  }

  /// Computes queries, keys and values of the worker's rows.
  private func project(
    _ layer: LayerWeights, _ index: Int, _ rows: Range<Int>, _ worker: Int
  ) {
    let d = c.hiddenSize
    let known = knowsRanges(index)
    forEachBlock(rows) { first, count in
      let (x, ranges) = input(layer.attentionNorm, first, count, knowsRanges: known)
      observe(.attention, index, first..<first + count, x, d)
      linear.apply(
        layer.qkv, x, rows: count, ranges: ranges, scratch: quantized(d, worker),
        LinearOutput(y: floats(plan.qkv, row: first, qkvWidth), stride: qkvWidth))
    }
  }

  /// Normalizes the heads of queries and keys and rotates them to their positions, if the
  /// architecture does.
  private func place(
    _ layer: LayerWeights, _ index: Int, _ origin: Int, _ rows: Range<Int>
  ) {
    let isLocal = c.window(layer: index) != .max
    let own = isLocal ? weights.localRotary ?? weights.rotary : weights.rotary
    let rotary = c.isRotated(layer: index) ? own : nil
    let region = isLocal ? plan.localAngles ?? plan.angles : plan.angles
    guard rotary != nil || layer.queryNorm != nil || layer.keyNorm != nil else { return }
    for sequence in sequences {
      let range = batch.range(sequence)
      let own = range.lowerBound - origin..<range.upperBound - origin
      for row in own.clamped(to: rows) {
        let queries = floats(plan.qkv, row: row, qkvWidth)
        layer.queryNorm?.apply(to: queries, kernels)
        layer.keyNorm?.apply(to: queries + c.queryWidth, kernels)
        if let rotary, let region {
          rotary.rotate(
            queries, heads: c.heads + c.keyValueHeads, headSize: c.headSize,
            by: floats(region, row: row - own.lowerBound, rotary.dimensions), kernels)
        }
      }
    }
  }

  /// Adds the low-rank updates of a layer to the queries and values of the worker's rows.
  private func update(
    _ updates: LowRankUpdates, _ layer: Int, _ rows: Range<Int>, _ worker: Int
  ) {
    let d = c.hiddenSize
    let products = arena.region(plan.row, as: Float.self, worker: worker)
    updates.values.withUnsafeBufferPointer { values in
      for row in rows {
        kernels.addUpdates(
          values.baseAddress! + layer * 4 * updates.rank * d, rank: updates.rank, columns: d,
          of: floats(plan.hidden, row: row, d), products: products,
          to: floats(plan.qkv, row: row, qkvWidth))
      }
    }
  }

  /// Attention of the rows `own` of one sequence over `all` of its rows.
  private func attend(
    _ layer: LayerWeights, _ index: Int, _ all: Range<Int>, _ own: Range<Int>, _ worker: Int
  ) {
    guard !own.isEmpty else { return }
    // Models with integer layers lose nothing measurable by integer attention.
    let attention =
      linear.isInteger(layer.qkv) ? kernels.attentionInt16 : kernels.attention
    let qkv = floats(plan.qkv, row: all.lowerBound, qkvWidth)
    let scratch = arena.region(plan.attention, as: Float.self, worker: worker)
    let group = c.heads / c.keyValueHeads
    let window = c.window(layer: index)
    for head in 0..<c.heads {
      let keys = qkv + c.queryWidth + head / group * c.headSize
      let input = AttentionInput(
        queries: qkv + head * c.headSize, keys: keys, values: keys + c.keyValueWidth,
        stride: qkvWidth, length: all.count, headSize: c.headSize,
        rows: own.lowerBound - all.lowerBound..<own.upperBound - all.lowerBound,
        divisor: attentionDivisor,
        bias: plan.distances.map {
          DistanceBiases.bias(of: head, in: floats($0), longest: plan.longest)
        }, window: window == .max ? .max : (window - 1) / 2)
      attention(
        input, floats(plan.context, row: all.lowerBound, c.queryWidth) + head * c.headSize,
        c.queryWidth, scratch)
    }
  }

  /// The rows of the distances within the longest sequence of the pass.
  private func distanceRows(_ distances: DistanceRows) -> Range<Int> {
    var longest = 1
    for sequence in sequences { longest = max(longest, batch.range(sequence).count) }
    return distances.rows(length: longest)
  }

  /// Computes queries and keys of the worker's share of the distances.
  private func project(
    _ distances: DistanceRows, _ layer: LayerWeights, _ worker: ThreadPool.Worker
  ) {
    guard let region = plan.distanceVectors else { return }
    let all = distanceRows(distances), stride = MemoryPlan.distanceStride(c)
    // The queries' scratch of attention is free.
    let x = arena.region(plan.intermediate, as: Float.self, worker: worker.index)
    let fitting = max(
      1,
      min(MemoryPlan.feedForwardRows, plan.passCapacity, plan.innerFloats / c.hiddenSize))
    let share = worker.share(of: all.count, unit: 4)
    var first = share.lowerBound
    while first < share.upperBound {
      let count = min(fitting, share.upperBound - first)
      let start = all.lowerBound + first
      distances.load(start..<start + count, into: x, kernels)
      linear.apply(
        layer.qkv, x, rows: count, ranges: nil, scratch: quantized(c.hiddenSize, worker.index),
        LinearOutput(y: floats(region, row: first, stride), stride: stride),
        panels: 0..<stride / 16)
      first += count
    }
  }

  /// Disentangled attention of the worker's heads over a sequence.
  private func attend(
    _ distances: DistanceRows, _ layer: LayerWeights, _ range: Range<Int>, _ origin: Int,
    _ worker: ThreadPool.Worker
  ) {
    guard let region = plan.distanceVectors, let scratch = plan.distanceScratch else { return }
    let attention =
      linear.isInteger(layer.qkv) ? kernels.attentionInt16 : kernels.attention
    let row = range.lowerBound - origin
    let qkv = floats(plan.qkv, row: row, qkvWidth)
    let stride = MemoryPlan.distanceStride(c)
    let first =
      distances.rows(length: range.count).lowerBound - distanceRows(distances).lowerBound
    for head in worker.share(of: c.heads) {
      let place = head * c.headSize
      distances.attend(
        AttentionInput(
          queries: qkv + place, keys: qkv + c.queryWidth + place,
          values: qkv + c.queryWidth + c.keyValueWidth + place, stride: qkvWidth,
          length: range.count, headSize: c.headSize, rows: 0..<range.count,
          divisor: attentionDivisor),
        vectors: UnsafePointer(floats(region, row: first, stride) + place), stride: stride,
        keyOffset: c.queryWidth,
        scratch: arena.region(scratch, as: Float.self, worker: worker.index), kernels
      ) {
        attention(
          $0, floats(plan.context, row: row, c.queryWidth) + place, c.queryWidth,
          arena.region(plan.attention, as: Float.self, worker: worker.index))
      }
    }
  }

  /// The output projection of attention, added to the states.
  private func mix(
    _ layer: LayerWeights, _ index: Int, _ rows: Range<Int>, _ worker: Int
  ) {
    let width = c.queryWidth
    forEachBlock(rows) { first, count in
      let context = floats(plan.context, row: first, width)
      observe(.attentionOutput, index, first..<first + count, context, width)
      linear.apply(
        layer.attentionOutput, context, rows: count,
        ranges: nil, scratch: quantized(width, worker),
        LinearOutput(y: floats(plan.projected, row: first, c.hiddenSize), stride: c.hiddenSize))
      add(first, count, layer.attentionNorm, outputNorm: layer.attentionOutputNorm)
    }
  }

  private func feedForward(
    _ layer: LayerWeights, _ index: Int, _ rows: Range<Int>, _ worker: Int
  ) {
    let d = c.hiddenSize, width = c.intermediateSize
    let stride = c.isGated ? 2 * width : width
    let inner = arena.region(plan.intermediate, as: Float.self, worker: worker)
    // The norm behind attention has told the extremes of its outputs.
    let known = c.normPlacement == .post
    forEachBlock(rows) { first, count in
      let (x, ranges) = input(layer.feedForwardNorm, first, count, knowsRanges: known)
      observe(.feedForward, index, first..<first + count, x, d)
      linear.apply(
        layer.up, x, rows: count, ranges: ranges, scratch: quantized(d, worker),
        LinearOutput(y: inner, stride: stride, activation: c.isGated ? .identity : activation))
      if c.isGated {
        kernels.gateRows(inner, 0..<count, width: width, columns: 0..<width, activation)
      }
      observe(.feedForwardDown, index, first..<first + count, inner, width, stride: stride)
      linear.apply(
        layer.down, inner, stride: stride, rows: count, ranges: nil,
        scratch: quantized(width, worker),
        LinearOutput(y: floats(plan.projected, row: first, d), stride: d))
      add(first, count, layer.feedForwardNorm, outputNorm: layer.feedForwardOutputNorm)
    }
  }

  /// Shows rows of a linear layer's input to the observer.
  private func observe(
    _ input: LinearInput, _ layer: Int, _ rows: Range<Int>, _ x: UnsafePointer<Float>,
    _ columns: Int, stride: Int? = nil
  ) {
    observer?.observe(
      .init(
        input: input, layer: layer, rows: rows, values: x, stride: stride ?? columns,
        columns: columns))
  }

  /// Pools the states of a sequence into one vector.
  private func pool(_ range: Range<Int>, _ origin: Int, _ sequence: Int, _ worker: Int) {
    let d = c.hiddenSize
    let vector = floats(plan.vectors, row: sequence, plan.stateSize)
    if let head = weights.head {
      let place = batch.statePositions[sequence] - origin
      return transform(head, floats(plan.hidden, row: place, d), into: vector, worker)
    }
    // An array of poolers would be an allocation for each text.
    pool(range, origin, into: vector)
    for (place, pooling) in c.morePoolings.enumerated() {
      pool(range, origin, pooling, into: vector + (place + 1) * d)
    }
  }

  private func pool(
    _ range: Range<Int>, _ origin: Int, _ pooling: Pooling? = nil,
    into vector: UnsafeMutablePointer<Float>
  ) {
    let d = c.hiddenSize
    let pooler = Pooler(
      pooling ?? c.pooling, kernels, columns: d, skipped: min(skippedTokens, range.count - 1))
    let states = floats(plan.hidden, row: range.lowerBound - origin, d)
    for row in 0..<range.count { pooler.add(states + row * d, position: row, to: vector) }
    pooler.finish(vector, count: range.count)
  }

  /// A state after the transformation of the masked language model's head.
  private func transform(
    _ head: EncoderWeights.Head, _ state: UnsafePointer<Float>,
    into vector: UnsafeMutablePointer<Float>, _ worker: Int
  ) {
    linear.apply(
      head.transform, state, rows: 1, ranges: nil, scratch: quantized(c.hiddenSize, worker),
      LinearOutput(y: vector, stride: c.embeddingSize, activation: headActivation))
    kernels.addLayerNorm(vector, nil, head.norm, 1, c.embeddingSize, vector, nil)
  }

  /// A state of a layer as it is read: behind the final norm, and as the head of a masked language
  /// model transforms it.
  func finish(_ state: UnsafePointer<Float>, into vector: UnsafeMutablePointer<Float>) {
    let d = c.hiddenSize
    let read = weights.head == nil ? vector : arena.region(plan.row, as: Float.self)
    if let norm = weights.finalNorm {
      kernels.normalize(state, norm, c.norm, rows: 1, columns: d, into: read)
    } else {
      for i in 0..<d { read[i] = state[i] }
    }
    if let head = weights.head { transform(head, read, into: vector, 0) }
  }
}
