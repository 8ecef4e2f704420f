public import VDSQKernels

/// Where everything that a forward pass needs lies in one arena, known before the first token.
public struct MemoryPlan: Sendable {
  /// A stretch of the arena.
  public struct Region: Sendable {
    public let name: StaticString
    public let offset: Int
    public let length: Int
  }

  public private(set) var regions: [Region] = []
  /// Bytes in all.
  public private(set) var length = 0
  /// Tokens of a batch at most, over all its sequences.
  public let tokenCapacity: Int
  /// Tokens that go through the layers at a time at most: a batch takes as many passes as it needs,
  /// so that states stay in the caches.
  public let passCapacity: Int

  /// Sequences of a batch at most: the shortest has two tokens.
  public var sequenceCapacity: Int { max(1, tokenCapacity / 2) }

  // Region indices.
  let hidden, qkv, context, projected, ranges, vectors: Int
  /// Each worker's own.
  let quantized, intermediate, scales, zeroPoints, attention, row, cachedWords, cachedIds: Int
  private let workerStrides: [Int]

  /// Rows that pass through the feed-forward network at a time: its inner states are the largest.
  static let feedForwardRows = 32
  /// Embeddings that each worker keeps, by the low bits of their ids: most words of a text are
  /// frequent ones.
  static let cachedWordCount = 512
  /// Tokens that each worker takes through the layers at a time, where there are enough.
  static let workerRows = 128

  public init(
    _ c: EncoderConfiguration, tokenCapacity: Int, threads: Int, layout: ActivationLayout
  ) {
    self.tokenCapacity = max(tokenCapacity, c.maximumTokens)
    let pass = min(self.tokenCapacity, max(c.maximumTokens, Self.workerRows * threads))
    passCapacity = pass
    var regions: [Region] = []
    var strides: [Int] = []
    var length = 0
    func region(_ name: StaticString, _ bytes: Int, each count: Int = 1) -> Int {
      let stride = (bytes + 63) / 64 * 64
      regions.append(Region(name: name, offset: length, length: stride * count))
      strides.append(stride)
      length += stride * count
      return regions.count - 1
    }
    let d = c.hiddenSize
    let block = min(Self.feedForwardRows, pass)
    hidden = region("hidden states", pass * d * 4)
    // A vector's width more: the last head's last vector may be read beyond it.
    qkv = region("queries, keys, values", pass * 3 * d * 4 + 128)
    context = region("attention output", pass * d * 4)
    projected = region("projections", pass * d * 4)
    ranges = region("extremes of rows", pass * 128)
    vectors = region("vectors", max(1, self.tokenCapacity / 2) * d * 4)
    let widest = max(layout.rowBytes(d), layout.rowBytes(c.intermediateSize))
    quantized = region("quantized states", block * widest, each: threads)
    scales = region("activation scales", block * 4, each: threads)
    zeroPoints = region("activation zero points", block * 4, each: threads)
    intermediate = region("feed-forward states", block * c.intermediateSize * 4, each: threads)
    attention = region("attention scratch", Self.attentionFloats(c) * 4, each: threads)
    row = region("embedding row", d * 4, each: threads)
    cachedWords = region("embeddings of recent words", Self.cachedWordCount * d * 2, each: threads)
    cachedIds = region("ids of recent words", Self.cachedWordCount * 4, each: threads)
    self.regions = regions
    workerStrides = strides
    self.length = length
  }

  /// Where a worker's part of a region starts.
  func offset(_ region: Int, worker: Int) -> Int {
    regions[region].offset + workerStrides[region] * worker
  }

  /// Floats of attention scratch for each worker.
  private static func attentionFloats(_ c: EncoderConfiguration) -> Int {
    AttentionInput.scratch(length: c.maximumTokens, headSize: c.headSize)
  }
}
