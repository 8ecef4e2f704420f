package import VDSQFormat
package import VDSQKernels

/// The memory of a decoder's forward pass, planned before the first token.
///
/// A pass takes all tokens of some sequences through one layer, block by block, and then through
/// the next. So the hidden states of all tokens are kept, and the keys and values of one layer.
package struct DecoderPlan: Sendable {
  /// The layout of all buffers, keys and values included.
  package let arena: ArenaLayout
  /// The maximum number of tokens of a batch, over all its sequences.
  package let tokenCapacity: Int
  /// The maximum number of tokens of a sequence, with those that it continues.
  package let longest: Int
  /// The maximum number of tokens in a pass through the layers.
  package let passCapacity: Int
  /// The number of tokens of a pass that a layer takes at a time.
  package let blockCapacity: Int
  /// The number of texts whose keys and values are kept in all layers, so that they can go on; 0 if
  /// none are.
  package let keptTexts: Int
  /// The number of tokens whose keys there is room for in a layer.
  let keyCapacity: Int
  /// The numbers of keys and values that are kept.
  let keyPrecision: KeyPrecision
  /// The maximum number of sequences of a batch.
  package let sequenceCapacity: Int
  /// Floats from one row of the attention's output to the next, and of the feed-forward
  /// projections, which take its place.
  let contextWidth: Int
  /// Floats from one row of queries, keys and values to the next, and of the attention's
  /// projections, which take their place.
  let qkvWidth: Int

  // Region indices.
  let hidden, qkv, keys, values, context, angles, vectors: Int
  /// The angles of layers with local attention, if they have their own.
  let localAngles: Int?
  /// Regions of each worker.
  let normed, quantized, scales, zeroPoints, work, row: Int
  /// Keys and values of the sequences that a sequence continues, side by side with its own; nil if
  /// sequences do not continue others.
  let gathered: Int?
  /// Keys and values of a head as floats; nil if they are kept as floats.
  let widened: Int?
  let words: EmbeddingRows.Memory

  /// The number of tokens of a worker in a block, if there are enough.
  static let workerRows = 32
  /// Below this many tokens for each worker, workers share weights instead of tokens, or one of
  /// them does the work.
  static let fewTokens = 16

  /// - Parameters:
  ///   - longest: the maximum number of tokens of a text.
  ///   - continuations: the tokens that may follow each text of a batch of one text.
  ///   - wordBytes: the size of a row of the word embeddings in the file.
  ///   - keptTexts: the number of texts that can go on, which takes keys and values of all layers
  ///     for `longest` tokens of each.
  ///   - keyPrecision: the numbers of those keys and values; others are floats.
  package init(
    _ c: Architecture, tokenCapacity: Int, longest text: Int, threads: Int,
    layout: ActivationLayout, wordBytes: Int, keptTexts: Int = 0,
    keyPrecision: KeyPrecision = .float32, continuations: TokenTree.Size = TokenTree.Size()
  ) {
    let withTree = text + continuations.nodes
    let longest = text + continuations.depth
    let tokenCapacity = max(tokenCapacity, withTree)
    self.tokenCapacity = tokenCapacity
    self.longest = longest
    self.keptTexts = keptTexts
    self.keyPrecision = keptTexts > 0 ? keyPrecision : .float32
    let block = min(tokenCapacity, Self.workerRows * threads)
    blockCapacity = block
    // Enough tokens that reading a layer costs little beside using it.
    let pass = keptTexts > 0 ? tokenCapacity : min(tokenCapacity, max(withTree, 4 * block))
    passCapacity = pass
    keyCapacity = keptTexts > 0 ? keptTexts * longest : pass
    // `TextEncoder.hasRoom` holds until this many texts of one token. In larger batches, those of
    // less than eight tokens are full before their tokens are.
    sequenceCapacity = max(
      continuations.nodes + 1, keptTexts, min(tokenCapacity - text + 1, tokenCapacity / 8))
    var arena = ArenaLayout()
    let d = c.hiddenSize
    let innerWidth = (c.isGated ? 2 : 1) * c.intermediateSize
    qkvWidth = max(c.queryWidth + 2 * c.keyValueWidth, d)
    contextWidth = max(c.queryWidth, d)
    hidden = arena.add("hidden states", pass * d * 4)
    // One vector more, because the last vector of the last head may be read beyond its end.
    qkv = arena.add("queries, keys, values", block * qkvWidth * 4 + 128)
    let rowBytes = self.keyPrecision.rowBytes(heads: c.keyValueHeads, headSize: c.headSize)
    let cache = (keptTexts > 0 ? c.layers : 1) * keyCapacity * rowBytes + 128
    keys = arena.add("keys", cache, isCache: true)
    values = arena.add("values", cache, isCache: true)
    context = arena.add("attention output", block * contextWidth * 4)
    angles = arena.add("rotary cosines and sines", longest * c.positions.rotaryDimensions * 4)
    localAngles =
      c.hasLocalRotary
      ? arena.add(
        "rotary cosines and sines of local layers", longest * c.positions.rotaryDimensions * 4)
      : nil
    vectors = arena.add("vectors", sequenceCapacity * c.vectorSize * 4)
    // A worker has its own tokens of a block, or all of a block with few.
    let rows = min(block, max(Self.workerRows, Self.fewTokens * threads))
    normed = arena.add("normalized states", rows * d * 4, each: threads)
    let widest = max(d, max(c.queryWidth, c.intermediateSize))
    quantized = arena.add(
      "quantized states", layout.bytes(rows: rows, columns: widest), each: threads)
    scales = arena.add("activation scales", rows * 4, each: threads)
    zeroPoints = arena.add("activation zero points", rows * 4, each: threads)
    // One after another.
    work = arena.add(
      "attention scratch, feed-forward states",
      max(
        CausalAttentionInput.scratch(length: longest, headSize: c.headSize), rows * innerWidth) * 4,
      each: threads)
    row = arena.add("embedding row", d * 4, each: threads)
    gathered =
      continuations.nodes == 0
      ? nil
      : arena.add(
        "keys and values of continued texts", 2 * longest * c.keyValueWidth * 4 + 128, each: threads
      )
    widened =
      self.keyPrecision == .float32
      ? nil
      : arena.add(
        "keys and values as floats", 2 * longest * c.headSize * 4 + 128, each: threads)
    words = EmbeddingRows.Memory(&arena, rowBytes: wordBytes, threads: threads)
    self.arena = arena
  }
}
