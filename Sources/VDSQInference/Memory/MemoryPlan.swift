package import VDSQFormat
package import VDSQKernels

/// The memory of an encoder's forward pass, planned before the first token.
package struct MemoryPlan: Sendable {
  /// The layout of all buffers, from which the arena is allocated.
  package let arena: ArenaLayout
  /// The maximum number of tokens of a batch, over all its sequences.
  package let tokenCapacity: Int
  /// The maximum number of tokens in a pass through the layers. A batch takes several passes if
  /// necessary, so that states stay in the caches.
  package let passCapacity: Int
  /// The maximum number of tokens of a sequence.
  package let longest: Int

  /// The number of dimensions of a state: the vector and the intermediate features.
  package let stateSize: Int

  /// The maximum number of sequences of a batch. A batch of sequences shorter than eight tokens is
  /// full before its tokens are.
  package let sequenceCapacity: Int

  /// Static embeddings read long texts without states, so more sequences would only take memory.
  private static let mostStaticSequences = 128

  // Region indices.
  let hidden, qkv, context, projected, ranges, vectors: Int
  /// Learned positions, rotary angles and biases of distances; nil if the model has none.
  let positions, angles, localAngles, distances: Int?
  /// Queries and keys of distances, and scratch memory of each worker for their biases; nil if
  /// attention is not disentangled.
  let distanceVectors, distanceScratch: Int?
  /// Regions of each worker.
  let quantized, intermediate, scales, zeroPoints, attention, row: Int
  let words: EmbeddingRows.Memory
  /// Floats of a worker's inner states of the feed-forward network.
  let innerFloats: Int

  /// Floats from one row of queries and keys of distances to the next: whole panels.
  static func distanceStride(_ c: Architecture) -> Int {
    (c.queryWidth + c.keyValueWidth + 15) / 16 * 16
  }

  /// The number of rows in a step of the feed-forward network, whose inner states are the largest.
  static let feedForwardRows = 16
  /// The number of tokens of a worker in a pass, if there are enough.
  static let workerRows = 128

  /// - Parameters:
  ///   - longest: the maximum number of tokens of a sequence.
  ///   - wordBytes: the size of a row of the word embeddings in the file; `positionBytes` that of a
  ///     row of the position table.
  ///   - intermediateFeatures: the number of intermediate features.
  package init(
    _ c: Architecture, tokenCapacity: Int, longest: Int, threads: Int,
    layout: ActivationLayout, wordBytes: Int, positionBytes: Int, intermediateFeatures: Int = 0
  ) {
    stateSize = c.vectorSize + intermediateFeatures * c.hiddenSize
    self.tokenCapacity = max(tokenCapacity, longest)
    self.longest = longest
    passCapacity = min(self.tokenCapacity, max(longest, Self.workerRows * threads))
    // Static embeddings are pooled row by row.
    let pass = c.isStatic ? 0 : passCapacity
    let sequences = max(1, self.tokenCapacity / 8)
    sequenceCapacity = c.isStatic ? min(sequences, Self.mostStaticSequences) : sequences
    var arena = ArenaLayout()
    let d = c.hiddenSize
    let block = min(Self.feedForwardRows, pass)
    hidden = arena.add("hidden states", pass * d * 4)
    // One vector more, because the last vector of the last head may be read beyond its end.
    qkv = arena.add(
      "queries, keys, values", pass * (c.queryWidth + 2 * c.keyValueWidth) * 4 + 128)
    context = arena.add("attention output", pass * c.queryWidth * 4)
    // Embeddings too, if they are projected to the hidden size.
    projected = arena.add("projections", pass * max(d, c.embeddingSize) * 4)
    ranges = arena.add("extremes of rows", pass * 128)
    vectors = arena.add("vectors", sequenceCapacity * stateSize * 4)
    let hasRotary = c.positions.rotaryDimensions > 0
    positions =
      c.positions.learnedRows == 0
      ? nil
      : arena.add("position embeddings", longest * positionBytes)
    angles =
      hasRotary
      ? arena.add("rotary cosines and sines", longest * c.positions.rotaryDimensions * 4) : nil
    localAngles =
      c.hasLocalRotary
      ? arena.add(
        "rotary cosines and sines of local layers", longest * c.positions.rotaryDimensions * 4)
      : nil
    distances =
      switch c.distanceBias {
      case .none, .disentangled: nil
      case .learned, .linear:
        arena.add("biases of distances", c.heads * DistanceBiases.width(longest: longest) * 4)
      }
    if case .disentangled(let all, _) = c.distanceBias {
      let rows = min(all, 2 * longest - 1)
      distanceVectors = arena.add(
        "queries and keys of distances", rows * Self.distanceStride(c) * 4)
      distanceScratch = arena.add(
        "biases of distances",
        DistanceRows.scratch(rows: rows, longest: longest, headSize: c.headSize) * 4,
        each: threads)
    } else {
      (distanceVectors, distanceScratch) = (nil, nil)
    }
    let widest = max(max(d, c.embeddingSize), max(c.queryWidth, c.intermediateSize))
    quantized = arena.add(
      "quantized states", layout.bytes(rows: block, columns: widest), each: threads)
    scales = arena.add("activation scales", block * 4, each: threads)
    zeroPoints = arena.add("activation zero points", block * 4, each: threads)
    innerFloats = max(block * (c.isGated ? 2 : 1) * c.intermediateSize, c.hiddenSize)
    intermediate = arena.add("feed-forward states", innerFloats * 4, each: threads)
    attention = arena.add(
      "attention scratch",
      c.isStatic ? 0 : AttentionInput.scratch(length: longest, headSize: c.headSize) * 4,
      each: threads)
    row = arena.add("embedding row", max(d, c.embeddingSize) * 4, each: threads)
    words = EmbeddingRows.Memory(&arena, rowBytes: wordBytes, threads: threads)
    self.arena = arena
  }
}
