package import VDSQFormat
package import VDSQKernels

/// The forward pass of a bidirectional encoder. It turns token ids into one vector per sequence.
///
/// All memory is one arena, planned from the architecture before the first token. The vector of a
/// sequence does not depend on the rest of its batch.
package final class Encoder {
  /// The architecture of the model.
  package let architecture: Architecture
  /// The capacities of a batch and the layout of the arena.
  package let plan: MemoryPlan
  private let container: Container
  private let kernels: KernelTable
  private let threads: ThreadPool
  private let arena: Arena
  private let pass: EncoderPass
  private let weights: EncoderWeights
  private let intermediateFeatures: Int
  /// The number of positions whose embeddings, angles and biases are in the arena.
  private var knownPositions = 0

  /// The number of touched bytes of the arena.
  var presentArenaBytes: Int { arena.presentBytes }

  /// What is added to the states of a layer; nil for nothing.
  var steering: Steering? {
    get { pass.steering }
    set { pass.steering = newValue }
  }

  /// What sees the inputs of linear layers; nil for nothing.
  var observer: InputObserver? {
    get { pass.observer }
    set { pass.observer = newValue }
  }

  /// - Parameters:
  ///   - tokenCapacity: the maximum number of tokens of a batch; at least that of the longest
  ///     sequence.
  ///   - longest: the maximum number of tokens of a sequence, limited by the model.
  ///   - intermediateFeatures: states of intermediate layers that are appended to the vector.
  ///   - updates: low-rank updates of the weights; nil for none.
  ///   - policy: how layers are kept in memory.
  /// - Throws: `badInput` if the container does not hold an encoder, `budgetTooSmall` if there is
  ///   no memory for the arena.
  package init(
    _ container: Container, kernels: KernelTable, threads: ThreadPool, precision: Precision,
    tokenCapacity: Int, longest: Int = .max, intermediateFeatures: [IntermediateFeature] = [],
    updates: LowRankUpdates? = nil, policy: MemoryPolicy = .resident
  ) throws(VDSQError) {
    self.container = container
    self.kernels = kernels
    self.threads = threads
    architecture = try Architecture(container.metadata)
    let c = architecture
    guard c.family == .bidirectionalEncoder else {
      throw .badInput("\(container.path): the model is no bidirectional encoder")
    }
    guard !c.hasParallelResidual else {
      throw .badInput(
        "\(container.path): metadata: parallel_residual of an encoder is not supported")
    }
    // A masked language model's head and norms behind additions are those of BERT.
    guard c.norm == .layerNorm || c.normPlacement != .post && c.pooling != .mask else {
      throw .badInput(
        "\(container.path): metadata: rms_norm of an encoder of this kind is not supported")
    }
    if case .disentangled = c.distanceBias {
      guard c.keyValueHeads == c.heads, c.slidingWindow == nil else {
        throw .badInput(
          "\(container.path): metadata: distance_rows beside windows or shared keys")
      }
    }
    for layer in 0..<c.layers where c.window(layer: layer) != .max {
      // As many positions before a token as behind it, and its own.
      guard c.window(layer: layer) % 2 == 1 else {
        throw .badInput("\(container.path): metadata: sliding_window of an encoder is not odd")
      }
    }
    guard intermediateFeatures.isEmpty || c.pooling != .mask,
      intermediateFeatures.allSatisfy({ $0.layer >= 1 && $0.layer < c.layers })
    else { throw .badInput("\(container.path): the model has no such lower layers") }
    if let updates {
      // Their products use a row of the scratch of the embeddings.
      guard updates.layers == c.layers, updates.hiddenSize == c.hiddenSize,
        c.queryWidth == c.hiddenSize, c.keyValueWidth == c.hiddenSize, c.normPlacement == .post,
        2 * updates.rank <= c.embeddingSize
      else { throw .badInput("\(container.path): updates of weights are not for such layers") }
    }
    // Static embeddings have nothing to stream.
    let memory = try LayerMemory(container, c, policy: c.isStatic ? .resident : policy)
    weights = try EncoderWeights(container, architecture, memory)
    plan = Self.plan(
      c, weights, kernels, threads, tokenCapacity: tokenCapacity,
      longest: min(longest, c.maximumTokens), intermediateFeatures: intermediateFeatures.count)
    self.intermediateFeatures = intermediateFeatures.count
    arena = try Arena(plan.arena)
    pass = EncoderPass(
      architecture: architecture, weights: weights,
      words: EmbeddingRows(
        table: weights.words, container: container, kernels: kernels, arena: arena,
        memory: plan.words),
      kernels: kernels, linear: LinearRunner(kernels: kernels, precision: precision), plan: plan,
      arena: arena, intermediateFeatures: intermediateFeatures, updates: updates, memory: memory)
  }

  private static func plan(
    _ architecture: Architecture, _ weights: EncoderWeights, _ kernels: KernelTable,
    _ threads: ThreadPool, tokenCapacity: Int, longest: Int, intermediateFeatures: Int
  ) -> MemoryPlan {
    MemoryPlan(
      architecture, tokenCapacity: tokenCapacity, longest: longest, threads: threads.count,
      layout: kernels.activationLayout, wordBytes: weights.words.record.rowBytes,
      positionBytes: weights.positions?.record.rowBytes ?? 0,
      intermediateFeatures: intermediateFeatures)
  }

  /// The plan of this encoder if it had other capacities.
  func plan(tokenCapacity: Int, longest: Int) -> MemoryPlan {
    Self.plan(
      architecture, weights, kernels, threads, tokenCapacity: tokenCapacity, longest: longest,
      intermediateFeatures: intermediateFeatures)
  }

  /// The number of first tokens of a sequence that are not pooled: those of a prompt.
  var skippedTokens: Int {
    get { pass.skippedTokens }
    set { pass.skippedTokens = newValue }
  }

  /// The first layer whose states a trace keeps, 0 for the embeddings.
  var firstTraced: Int {
    get { pass.firstTraced }
    set { pass.firstTraced = newValue }
  }

  /// Encodes a batch of at most `plan.tokenCapacity` tokens.
  ///
  /// - Parameter trace: receives the states after the embeddings and each layer,
  ///   `[layers + 1, tokens, hiddenSize]`.
  /// - Returns: `[sequences, plan.stateSize]` floats, valid until the next call.
  /// - Throws: `badInput` if an id is not in the vocabulary, the file cannot be read, or a result
  ///   is not finite.
  package func encode(
    _ batch: TokenBatch, trace: UnsafeMutablePointer<Float>? = nil
  ) throws(VDSQError) -> UnsafePointer<Float> {
    pass.trace = trace
    defer { pass.trace = nil }
    try batch.check(
      tokens: plan.tokenCapacity, sequences: plan.sequenceCapacity,
      vocabulary: architecture.vocabularySize, path: container.path)
    for sequence in 0..<batch.sequences where batch.range(sequence).count > plan.longest {
      throw .badInput(
        "\(container.path): a sequence of \(batch.range(sequence).count) tokens is longer than "
          + "\(plan.longest)")
    }
    // As many rows as keep states in the caches, but at least one sequence.
    let rows = min(plan.passCapacity, MemoryPlan.workerRows * threads.count)
    var first = 0
    while first < batch.sequences {
      var end = first + 1
      let start = batch.range(first).lowerBound
      while end < batch.sequences, batch.range(end).upperBound - start <= rows {
        end += 1
      }
      try run(batch, first..<end)
      first = end
    }
    return UnsafePointer(arena.region(plan.vectors, as: Float.self))
  }

  /// A state of a layer as the last one is read: behind the final norm, and transformed by the head
  /// of a masked language model, if the model has them. `embeddingSize` or `hiddenSize` floats.
  package func transform(
    _ state: UnsafePointer<Float>, into vector: UnsafeMutablePointer<Float>
  ) {
    pass.finish(state, into: vector)
  }

  /// Below this many rows, the share of a worker does not justify waking it.
  private static let smallestShare = 4

  private func run(_ batch: TokenBatch, _ sequences: Range<Int>) throws(VDSQError) {
    let rows =
      batch.range(sequences.upperBound - 1).upperBound
      - batch.range(sequences.lowerBound).lowerBound
    let workers = max(1, min(threads.count, rows / Self.smallestShare))
    for sequence in sequences { try preparePositions(batch.range(sequence).count) }
    pass.batch = batch
    pass.sequences = sequences
    defer { pass.batch = TokenBatch() }
    pass.memory.beginPass()
    threads.together(workers, pass)
    if pass.memory.isUnreadable {
      throw .badInput("\(container.path): a layer cannot be read, or does not decode")
    }
    if pass.unreadable {
      throw .badInput("\(container.path): the embeddings cannot be read: \(lastErrorText())")
    }
    let vectors = arena.region(plan.vectors, as: Float.self)
    for sequence in sequences {
      try finish(vectors + sequence * plan.stateSize)
    }
  }

  /// Makes positions known up to the length of a text. The table of learned positions is read; if
  /// it were mapped, all of it would become resident.
  private func preparePositions(_ count: Int) throws(VDSQError) {
    guard count > knownPositions else { return }
    let new = knownPositions..<count
    if let table = weights.positions, let region = plan.positions {
      let width = table.record.rowBytes
      try container.read(
        table, at: knownPositions * width, count: new.count * width,
        into: arena.region(region, as: UInt8.self) + knownPositions * width)
    }
    if let rotary = weights.rotary, let region = plan.angles {
      rotary.compute(new, into: arena.region(region, as: Float.self))
    }
    if let rotary = weights.localRotary, let region = plan.localAngles {
      rotary.compute(new, into: arena.region(region, as: Float.self))
    }
    if let distances = weights.distances, let region = plan.distances {
      distances.compute(new, longest: plan.longest, into: arena.region(region, as: Float.self))
    }
    knownPositions = count
  }

  /// Applies the norm behind the last layer, where there is one, in place.
  package func normalize(_ states: UnsafeMutablePointer<Float>, rows: Int) {
    guard let norm = weights.finalNorm else { return }
    kernels.normalize(
      states, norm, architecture.norm, rows: rows, columns: architecture.hiddenSize, into: states)
  }

  /// Scales the vector to length 1 if the model requires it, and refuses values that are not
  /// finite.
  private func finish(_ vector: UnsafeMutablePointer<Float>) throws(VDSQError) {
    let d = architecture.vectorSize
    let square = try container.finiteSquare(of: vector, d, kernels)
    if architecture.normalize, square > 0 {
      let scale = 1 / square.squareRoot()
      for i in 0..<d { vector[i] *= scale }
    }
  }
}
