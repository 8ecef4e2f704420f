package import VDSQFormat
package import VDSQKernels

/// The memory of a decoder's forward pass, planned before the first token.
package struct DecoderPlan: Sendable {
  /// The layout of all buffers, key and value caches included.
  package let arena: ArenaLayout
  /// The maximum number of tokens of a batch, over all its sequences, which is the capacity of the
  /// key and value caches.
  package let tokenCapacity: Int
  /// The maximum number of tokens of a sequence.
  package let longest: Int
  /// The maximum number of tokens in a pass through the layers.
  package let passCapacity: Int
  /// The maximum number of sequences of a batch.
  package var sequenceCapacity: Int { tokenCapacity }

  // Region indices.
  let hidden, qkv, keys, values, context, attended, inner, fed, angles, vectors: Int
  /// Regions of each worker.
  let normed, quantized, scales, zeroPoints, attention, row: Int
  let words: EmbeddingRows.Memory

  /// The number of tokens of a worker in a pass, if there are enough.
  static let workerRows = 32

  /// - Parameters:
  ///   - longest: the maximum number of tokens of a sequence.
  ///   - element: the element type of the word embeddings.
  package init(
    _ c: Architecture, tokenCapacity: Int, longest: Int, threads: Int,
    layout: ActivationLayout, element: ElementType
  ) {
    self.tokenCapacity = max(tokenCapacity, longest)
    self.longest = longest
    let pass = min(self.tokenCapacity, Self.workerRows * threads)
    passCapacity = pass
    var arena = ArenaLayout()
    let d = c.hiddenSize
    let innerWidth = (c.isGated ? 2 : 1) * c.intermediateSize
    hidden = arena.add("hidden states", pass * d * 4)
    // One vector more, because the last vector of the last head may be read beyond its end.
    qkv = arena.add(
      "queries, keys, values", pass * (c.queryWidth + 2 * c.keyValueWidth) * 4 + 128)
    let cache = c.layers * self.tokenCapacity * c.keyValueWidth * 4 + 128
    keys = arena.add("key cache", cache, isCache: true)
    values = arena.add("value cache", cache, isCache: true)
    context = arena.add("attention output", pass * c.queryWidth * 4)
    attended = arena.add("attention projections", pass * d * 4)
    inner = arena.add("feed-forward states", pass * innerWidth * 4)
    fed = arena.add("feed-forward projections", pass * d * 4)
    angles = arena.add("rotary cosines and sines", pass * c.positions.rotaryDimensions * 4)
    vectors = arena.add("vectors", self.tokenCapacity * d * 4)
    normed = arena.add("normalized states", pass * d * 4, each: threads)
    let widest = max(
      layout.rowBytes(d), max(layout.rowBytes(c.queryWidth), layout.rowBytes(c.intermediateSize)))
    quantized = arena.add("quantized states", pass * widest, each: threads)
    scales = arena.add("activation scales", pass * 4, each: threads)
    zeroPoints = arena.add("activation zero points", pass * 4, each: threads)
    attention = arena.add(
      "attention scratch",
      CausalAttentionInput.scratch(length: longest, headSize: c.headSize) * 4,
      each: threads)
    row = arena.add("embedding row", d * 4, each: threads)
    words = EmbeddingRows.Memory(&arena, columns: d, element: element, threads: threads)
    self.arena = arena
  }
}
