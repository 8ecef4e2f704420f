import VDSQKernels

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
  /// Tokens that one pass takes at most, over all sequences of a batch.
  public let tokenCapacity: Int

  /// Sequences that one pass takes at most: the shortest has two tokens.
  public var sequenceCapacity: Int { max(1, tokenCapacity / 2) }

  // Region indices.
  let hidden, qkv, context, projected, quantized, intermediate, intermediateQuantized: Int
  let scales, zeroPoints, attention, row, vectors: Int

  /// Rows that pass through the feed-forward network at a time: its inner states are the largest.
  static let feedForwardRows = 64

  public init(_ c: EncoderConfiguration, tokenCapacity: Int, threads: Int) {
    self.tokenCapacity = tokenCapacity
    var regions: [Region] = []
    var length = 0
    func region(_ name: StaticString, _ bytes: Int) -> Int {
      regions.append(Region(name: name, offset: length, length: bytes))
      length += (bytes + 63) / 64 * 64
      return regions.count - 1
    }
    let d = c.hiddenSize
    let block = min(Self.feedForwardRows, tokenCapacity)
    hidden = region("hidden states", tokenCapacity * d * 4)
    qkv = region("queries, keys, values", tokenCapacity * 3 * d * 4)
    context = region("attention output", tokenCapacity * d * 4)
    projected = region("projections", tokenCapacity * d * 4)
    quantized = region("quantized states", tokenCapacity * Self.quantizedStride(d))
    intermediate = region("feed-forward states", block * c.intermediateSize * 4)
    intermediateQuantized = region(
      "quantized feed-forward states", block * Self.quantizedStride(c.intermediateSize))
    scales = region("activation scales", tokenCapacity * 4)
    zeroPoints = region("activation zero points", tokenCapacity * 4)
    attention = region("attention scratch", threads * Self.attentionFloats(c) * 4)
    row = region("embedding row", c.hiddenSize * 8)
    vectors = region("vectors", max(1, tokenCapacity / 2) * d * 4)
    self.regions = regions
    self.length = length
  }

  static func quantizedStride(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }

  /// Floats of attention scratch for each thread.
  static func attentionFloats(_ c: EncoderConfiguration) -> Int {
    let floats = AttentionInput.scratch(length: c.maximumTokens, headSize: c.headSize)
    return (floats + 15) / 16 * 16
  }
}
