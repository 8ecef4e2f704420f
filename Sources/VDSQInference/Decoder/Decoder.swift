package import VDSQFormat
package import VDSQKernels

/// The forward pass of a causal decoder. It turns token ids into one vector per sequence: the state
/// at its end, or the pooled states of all its tokens.
///
/// Keys and values of the batch's tokens stay in a cache until a new batch begins, so sequences can
/// be read in any number of steps. All memory is one arena, planned before the first token. Up to
/// rounding, the state of a sequence does not depend on the rest of its batch.
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

  /// The number of touched bytes of the arena.
  var presentArenaBytes: Int { arena.presentBytes }

  /// - Parameters:
  ///   - tokenCapacity: the maximum number of tokens of a batch; at least that of the longest
  ///     sequence.
  ///   - longest: the maximum number of tokens of a sequence, limited by the model.
  ///   - policy: how layers are kept in memory.
  /// - Throws: `badInput` if the container does not hold a decoder, `budgetTooSmall` if there is no
  ///   memory for the arena.
  package init(
    _ container: Container, kernels: KernelTable, threads: ThreadPool, precision: Precision,
    tokenCapacity: Int, longest: Int = .max, policy: MemoryPolicy = .resident
  ) throws(VDSQError) {
    self.container = container
    self.kernels = kernels
    self.threads = threads
    architecture = try Architecture(container.metadata)
    guard architecture.family == .causalDecoder else {
      throw .badInput("\(container.path): the model is no causal decoder")
    }
    let memory = try LayerMemory(container, layers: architecture.layers, policy: policy)
    weights = try DecoderWeights(container, architecture, memory)
    plan = DecoderPlan(
      architecture, tokenCapacity: tokenCapacity,
      longest: min(longest, architecture.maximumTokens), threads: threads.count,
      layout: kernels.activationLayout, element: weights.words.record.element)
    arena = try Arena(plan.arena)
    pass = DecoderPass(
      architecture: architecture, weights: weights,
      words: EmbeddingRows(
        table: weights.words, container: container, kernels: kernels, arena: arena,
        memory: plan.words),
      kernels: kernels, linear: LinearRunner(kernels: kernels, precision: precision), plan: plan,
      arena: arena, memory: memory)
  }

  /// Reads the tokens of a batch from `start` on. The tokens before must have been read already, as
  /// part of the same batch.
  ///
  /// - Parameter trace: receives the states after the embeddings and each layer,
  ///   `[layers + 1, tokens, hiddenSize]`, before the final norm.
  /// - Returns: `[sequences, hiddenSize]` floats, the pooled states after the final norm, valid until
  ///   the next call. Sequences without new tokens keep their vectors. Sequences that go on at
  ///   `start` need last-token pooling.
  /// - Throws: `badInput` if an id is not in the vocabulary, a sequence is too long, the file
  ///   cannot be read, or a result is not finite.
  package func decode(
    _ batch: TokenBatch, from start: Int = 0, trace: UnsafeMutablePointer<Float>? = nil
  ) throws(VDSQError) -> UnsafePointer<Float> {
    try batch.check(
      tokens: plan.tokenCapacity, sequences: plan.sequenceCapacity,
      vocabulary: architecture.vocabularySize, path: container.path)
    for sequence in 0..<batch.sequences
    where batch.range(sequence).count > plan.longest {
      throw .badInput(
        "\(container.path): a sequence of \(batch.range(sequence).count) tokens is longer than "
          + "\(plan.longest)")
    }
    pass.batch = batch
    pass.trace = trace
    defer {
      pass.batch = TokenBatch()
      pass.trace = nil
    }
    var row = start
    while row < batch.ids.count {
      let end = min(row + plan.passCapacity, batch.ids.count)
      pass.rows = row..<end
      pass.memory.beginPass()
      threads.together(width(row..<end), pass)
      row = end
    }
    if pass.memory.isUnreadable {
      throw .badInput("\(container.path): a layer cannot be read, or does not decode")
    }
    if pass.unreadable {
      throw .badInput("\(container.path): the embeddings cannot be read: \(lastErrorText())")
    }
    let vectors = arena.region(plan.vectors, as: Float.self)
    let d = architecture.hiddenSize
    for sequence in 0..<batch.sequences where batch.range(sequence).upperBound > start {
      let vector = vectors + sequence * d
      let square = try container.finiteSquare(of: vector, d, kernels)
      guard architecture.normalize, square > 0 else { continue }
      let scale = 1 / square.squareRoot()
      for i in 0..<d { vector[i] *= scale }
    }
    return UnsafePointer(vectors)
  }

  /// Above this size, the weights of a layer are shared between threads even for a single token.
  private static let largeLayer = 1 << 20

  private func width(_ rows: Range<Int>) -> Int {
    let c = architecture
    let isLarge = c.hiddenSize * c.intermediateSize >= Self.largeLayer
    return isLarge ? threads.count : max(1, min(threads.count, rows.count / 16))
  }

  /// Applies the final norm, which gives a state as the head reads it.
  package func normalize(
    _ states: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>
  ) {
    pass.normalize(states, weights.finalNorm, rows, y)
  }
}
