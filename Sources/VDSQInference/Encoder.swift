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
  private let kernels: KernelTable
  private let threads: ThreadPool
  private let arena: Arena
  private let pass: EncoderPass
  private let weights: EncoderWeights

  /// - Parameters:
  ///   - tokenCapacity: tokens of a batch at most; raised to the model's longest sequence.
  ///   - lowerStates: states of lower layers that follow the vector.
  /// - Throws: `badInput` where the container is no encoder's, `budgetTooSmall` where there is no
  ///   memory for the arena.
  public init(
    _ container: Container, kernels: KernelTable, threads: ThreadPool, precision: Precision,
    tokenCapacity: Int, lowerStates: [LowerState] = []
  ) throws(VDSQError) {
    self.container = container
    self.kernels = kernels
    self.threads = threads
    configuration = try EncoderConfiguration(container.metadata)
    let c = configuration
    guard lowerStates.isEmpty || c.pooling != .mask,
      lowerStates.allSatisfy({ $0.layer >= 1 && $0.layer < c.layers })
    else { throw .badInput("\(container.path): the model has no such lower layers") }
    weights = try EncoderWeights(container, configuration)
    plan = MemoryPlan(
      configuration, tokenCapacity: tokenCapacity, threads: threads.count,
      layout: kernels.activationLayout, element: weights.words.record.element,
      lowerStates: lowerStates.count)
    arena = try Arena(plan.arena)
    pass = EncoderPass(
      configuration: configuration, weights: weights,
      words: EmbeddingRows(
        table: weights.words, container: container, kernels: kernels, arena: arena,
        memory: plan.words),
      kernels: kernels, linear: LinearRunner(kernels: kernels, precision: precision), plan: plan,
      arena: arena, lowerStates: lowerStates)
  }

  /// Encodes a batch of at most `plan.tokenCapacity` tokens.
  ///
  /// - Parameter trace: receives the states after the embeddings and each layer,
  ///   `[layers + 1, tokens, hiddenSize]`.
  /// - Returns: `[sequences, plan.stateSize]` floats, valid until the next call.
  /// - Throws: `badInput` where an id is not in the vocabulary, the file cannot be read, or weights
  ///   make numbers that are not finite.
  public func encode(
    _ batch: TokenBatch, trace: UnsafeMutablePointer<Float>? = nil
  ) throws(VDSQError) -> UnsafePointer<Float> {
    pass.trace = trace
    defer { pass.trace = nil }
    try batch.check(
      tokens: plan.tokenCapacity, sequences: plan.sequenceCapacity,
      vocabulary: configuration.vocabularySize, path: container.path)
    var first = 0
    while first < batch.sequences {
      var end = first + 1
      let start = batch.range(first).lowerBound
      while end < batch.sequences, batch.range(end).upperBound - start <= plan.passCapacity {
        end += 1
      }
      try run(batch, first..<end)
      first = end
    }
    return UnsafePointer(arena.region(plan.vectors, as: Float.self))
  }

  /// The mask token, whose state is what a masked language model is asked for.
  public var maskToken: Int32 {
    get { pass.maskToken }
    set { pass.maskToken = newValue }
  }

  /// A state as the masked language model's head has it before the vocabulary, or as it is where there
  /// is no such head; `vectorSize` floats.
  public func transform(
    _ state: UnsafePointer<Float>, into vector: UnsafeMutablePointer<Float>
  ) {
    if let head = weights.head { return pass.transform(head, state, into: vector, 0) }
    for i in 0..<configuration.vectorSize { vector[i] = state[i] }
  }

  /// Below this many rows a worker's share is not worth waking it.
  private static let smallestShare = 4

  private func run(_ batch: TokenBatch, _ sequences: Range<Int>) throws(VDSQError) {
    let rows =
      batch.range(sequences.upperBound - 1).upperBound
      - batch.range(sequences.lowerBound).lowerBound
    let workers = max(1, min(threads.count, rows / Self.smallestShare))
    pass.batch = batch
    pass.sequences = sequences
    defer { pass.batch = TokenBatch() }
    threads.together(workers, pass)
    if pass.unreadable {
      throw .badInput("\(container.path): the embeddings cannot be read: \(lastErrorText())")
    }
    let vectors = arena.region(plan.vectors, as: Float.self)
    for sequence in sequences {
      try finish(vectors + sequence * plan.stateSize)
    }
  }

  /// Scales to length 1 where the model says so, and refuses what is no number.
  private func finish(_ vector: UnsafeMutablePointer<Float>) throws(VDSQError) {
    let d = configuration.vectorSize
    let square = try container.finiteSquare(of: vector, d, kernels)
    if configuration.normalize, square > 0 {
      let scale = 1 / square.squareRoot()
      for i in 0..<d { vector[i] *= scale }
    }
  }
}
