public import VDSQFormat
public import VDSQKernels

/// What an encoder's forward pass needs, laid out before the first token.
public struct MemoryPlan: Sendable {
  public let arena: ArenaLayout
  /// Tokens of a batch at most, over all its sequences.
  public let tokenCapacity: Int
  /// Tokens that go through the layers at a time at most: a batch takes as many passes as it needs,
  /// so that states stay in the caches.
  public let passCapacity: Int
  /// Tokens of a sequence at most.
  public let longest: Int

  /// Numbers in a state: the vector, and lower layers' where they are wanted.
  public let stateSize: Int

  /// Sequences of a batch at most: batches of shorter ones than eight tokens are full before their tokens are.
  public var sequenceCapacity: Int { Self.sequences(tokenCapacity) }

  private static func sequences(_ tokens: Int) -> Int { max(1, tokens / 8) }

  // Region indices.
  let hidden, qkv, context, projected, ranges, vectors, positions: Int
  /// Each worker's own.
  let quantized, intermediate, scales, zeroPoints, attention, row: Int
  let words: EmbeddingRows.Memory

  /// Rows that pass through the feed-forward network at a time: its inner states are the largest.
  static let feedForwardRows = 16
  /// Tokens that each worker takes through the layers at a time, where there are enough.
  static let workerRows = 128

  /// - Parameters:
  ///   - longest: tokens of a sequence at most.
  ///   - element: how the word table is stored; `positionElement` the positions'.
  ///   - intermediateFeatures: how many states of lower layers are wanted beside the vector.
  public init(
    _ c: Architecture, tokenCapacity: Int, longest: Int, threads: Int,
    layout: ActivationLayout,
    element: ElementType, positionElement: ElementType, intermediateFeatures: Int = 0
  ) {
    stateSize = c.vectorSize + intermediateFeatures * c.hiddenSize
    self.tokenCapacity = max(tokenCapacity, longest)
    self.longest = longest
    let pass = min(self.tokenCapacity, max(longest, Self.workerRows * threads))
    passCapacity = pass
    var arena = ArenaLayout()
    let d = c.hiddenSize
    let block = min(Self.feedForwardRows, pass)
    hidden = arena.add("hidden states", pass * d * 4)
    // A vector's width more: the last head's last vector may be read beyond it.
    qkv = arena.add("queries, keys, values", pass * 3 * d * 4 + 128)
    context = arena.add("attention output", pass * d * 4)
    // Embeddings too, where they are projected to the hidden size.
    projected = arena.add("projections", pass * max(d, c.embeddingSize) * 4)
    ranges = arena.add("extremes of rows", pass * 128)
    vectors = arena.add("vectors", Self.sequences(self.tokenCapacity) * stateSize * 4)
    positions = arena.add(
      "position embeddings", longest * c.embeddingSize * EmbeddingRows.width(positionElement))
    let widest = max(
      layout.rowBytes(max(d, c.embeddingSize)), layout.rowBytes(c.intermediateSize))
    quantized = arena.add("quantized states", block * widest, each: threads)
    scales = arena.add("activation scales", block * 4, each: threads)
    zeroPoints = arena.add("activation zero points", block * 4, each: threads)
    intermediate = arena.add("feed-forward states", block * c.intermediateSize * 4, each: threads)
    attention = arena.add(
      "attention scratch", AttentionInput.scratch(length: longest, headSize: c.headSize) * 4,
      each: threads)
    row = arena.add("embedding row", c.embeddingSize * 4, each: threads)
    words = EmbeddingRows.Memory(
      &arena, columns: c.embeddingSize, element: element, threads: threads)
    self.arena = arena
  }
}
