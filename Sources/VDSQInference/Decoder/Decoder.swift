package import VDSQFormat
package import VDSQKernels

/// The forward pass of a causal decoder. It turns token ids into one vector per sequence: the state
/// at its end, or the pooled states of all its tokens.
///
/// Texts that are read once need the keys and values of one layer at a time. A decoder that keeps
/// those of all layers for some texts can read these in any number of steps. All memory is one
/// arena, planned before the first token. Up to rounding, the state of a sequence does not depend
/// on the rest of its batch.
package final class Decoder {
  /// The architecture of the model.
  package let architecture: Architecture
  /// The capacities of a batch and the layout of the arena.
  package let plan: DecoderPlan
  private let container: Container
  private let kernels: KernelTable
  private let threads: ThreadPool
  private let arena: Arena
  private let pass: DecoderPass
  private let weights: DecoderWeights
  private let continuations: TokenTree.Size

  /// The number of touched bytes of the arena.
  var presentArenaBytes: Int { arena.presentBytes }

  /// What is added to the states of a layer; nil for nothing.
  var steering: Steering? {
    get { pass.steering }
    set { pass.steering = newValue }
  }

  /// Changes the down projections from the next batch on; nil to none.
  ///
  /// - Throws: `badInput` if the decoder does not have such layers.
  func update(_ updates: NeuronUpdates?) throws(VDSQError) {
    try updates?.check(architecture, container.path)
    pass.updates = updates
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
  ///   - keptTexts: the number of texts whose keys and values are kept, so that they can go on.
  ///   - keyPrecision: the numbers of those keys and values.
  ///   - continuations: the tokens that may follow the text of a batch of one text.
  ///   - policy: how layers are kept in memory.
  /// - Throws: `badInput` if the container does not hold a decoder, `budgetTooSmall` if there is no
  ///   memory for the arena.
  package init(
    _ container: Container, kernels: KernelTable, threads: ThreadPool, precision: Precision,
    tokenCapacity: Int, longest: Int = .max, keptTexts: Int = 0,
    keyPrecision: KeyPrecision = .float32,
    continuations: TokenTree.Size = TokenTree.Size(), policy: MemoryPolicy = .resident
  ) throws(VDSQError) {
    self.container = container
    self.kernels = kernels
    self.threads = threads
    self.continuations = continuations
    architecture = try Architecture(container.metadata)
    guard architecture.family == .causalDecoder else {
      throw .badInput("\(container.path): the model is no causal decoder")
    }
    guard architecture.distanceBias == .none || architecture.distanceBias == .linear else {
      throw .badInput("\(container.path): learned biases of distances in a decoder are not supported")
    }
    let memory = try LayerMemory(container, architecture, policy: policy)
    weights = try DecoderWeights(container, architecture, memory)
    plan = Self.plan(
      architecture, weights, kernels, threads, tokenCapacity: tokenCapacity,
      longest: min(longest, architecture.maximumTokens - continuations.depth),
      keptTexts: keptTexts, keyPrecision: keyPrecision, continuations: continuations)
    arena = try Arena(plan.arena)
    pass = DecoderPass(
      architecture: architecture, weights: weights,
      words: EmbeddingRows(
        table: weights.words, container: container, kernels: kernels, arena: arena,
        memory: plan.words),
      kernels: kernels, linear: LinearRunner(kernels: kernels, precision: precision), plan: plan,
      arena: arena, memory: memory)
  }

  private static func plan(
    _ architecture: Architecture, _ weights: DecoderWeights, _ kernels: KernelTable,
    _ threads: ThreadPool, tokenCapacity: Int, longest: Int, keptTexts: Int,
    keyPrecision: KeyPrecision, continuations: TokenTree.Size
  ) -> DecoderPlan {
    DecoderPlan(
      architecture, tokenCapacity: tokenCapacity, longest: longest, threads: threads.count,
      layout: kernels.activationLayout, wordBytes: weights.words.record.rowBytes,
      keptTexts: keptTexts, keyPrecision: keyPrecision, continuations: continuations)
  }

  /// The plan of this decoder if it had other capacities.
  func plan(tokenCapacity: Int, longest: Int) -> DecoderPlan {
    Self.plan(
      architecture, weights, kernels, threads, tokenCapacity: tokenCapacity, longest: longest,
      keptTexts: plan.keptTexts, keyPrecision: plan.keyPrecision, continuations: continuations)
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

  /// Reads the tokens of a batch. Those of its texts that have places follow the tokens that were
  /// read there before.
  ///
  /// - Parameter trace: receives the states after the embeddings and each layer,
  ///   `[layers + 1, tokens, hiddenSize]`, before the final norm.
  /// - Returns: `[sequences, hiddenSize]` floats, the pooled states after the final norm, valid
  ///   until the next call. Texts that have places need last-token pooling.
  /// - Throws: `badInput` if an id is not in the vocabulary, a sequence is too long, the file
  ///   cannot be read, or a result is not finite.
  package func decode(
    _ batch: TokenBatch, trace: UnsafeMutablePointer<Float>? = nil
  ) throws(VDSQError) -> UnsafePointer<Float> {
    try batch.check(
      tokens: plan.tokenCapacity, sequences: plan.sequenceCapacity,
      vocabulary: architecture.vocabularySize, path: container.path)
    for sequence in 0..<batch.sequences {
      let end = batch.offsets[sequence] + batch.range(sequence).count
      guard end <= plan.longest else {
        throw .badInput(
          "\(container.path): a sequence of \(end) tokens is longer than \(plan.longest)")
      }
      // Keys of one layer are kept for a pass, so it must have all tokens of a tree.
      guard batch.preceding[sequence] == nil || batch.ids.count <= plan.passCapacity else {
        throw VDSQError(
          .internalFault, "\(batch.ids.count) tokens of a text and of what follows exceed the plan")
      }
      guard batch.places[sequence].map({ $0 < plan.keptTexts }) ?? (plan.keptTexts == 0)
      else { throw VDSQError(.internalFault, "the keys and values of a text have no place") }
    }
    var first = 0
    while first < batch.sequences {
      let lower = batch.range(first).lowerBound
      var end = first + 1
      while end < batch.sequences, batch.range(end).upperBound - lower <= plan.passCapacity {
        end += 1
      }
      pass.run(
        batch, first..<end, lower..<batch.range(end - 1).upperBound, trace: trace, on: threads)
      first = end
    }
    if pass.memory.isUnreadable {
      throw .badInput("\(container.path): a layer cannot be read, or does not decode")
    }
    if pass.unreadable {
      throw .badInput("\(container.path): the embeddings cannot be read: \(lastErrorText())")
    }
    let vectors = arena.region(plan.vectors, as: Float.self)
    let d = architecture.vectorSize
    for sequence in 0..<batch.sequences {
      let vector = vectors + sequence * d
      let square = try container.finiteSquare(of: vector, d, kernels)
      guard architecture.normalize, square > 0 else { continue }
      let scale = 1 / square.squareRoot()
      for i in 0..<d { vector[i] *= scale }
    }
    return UnsafePointer(vectors)
  }

  /// The number of layers with keys and values, and the bytes of a token's keys in one of them.
  var keptRows: (layers: Int, bytes: Int) {
    (
      architecture.layers,
      plan.keyPrecision.rowBytes(
        heads: architecture.keyValueHeads, headSize: architecture.headSize)
    )
  }

  /// Calls `body` with the kept keys, and then the kept values, of the first tokens of a text,
  /// layer after layer.
  ///
  /// - Parameters:
  ///   - place: below `plan.keptTexts`.
  ///   - count: at most `plan.longest`.
  func forEachKept(
    _ place: Int, _ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void
  ) {
    let bytes = keptRows.bytes
    for layer in 0..<architecture.layers {
      for region in [plan.keys, plan.values] {
        let first = layer * plan.keyCapacity + place * plan.longest
        let rows = arena.region(region, as: UInt8.self) + first * bytes
        body(UnsafeMutableRawBufferPointer(start: rows, count: count * bytes))
      }
    }
  }

  /// Applies the final norm, which gives a state as the head reads it.
  package func normalize(
    _ states: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>
  ) {
    pass.normalize(states, weights.finalNorm, rows, y)
  }
}
