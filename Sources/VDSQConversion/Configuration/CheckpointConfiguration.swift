import VDSQFormat

/// The contents of a checkpoint's `config.json`.
struct CheckpointConfiguration {
  /// The model. Other files of the checkpoint may set another pooling.
  var architecture: Architecture
  /// Rows of the position table before that of the first token.
  var positionOffset = 0
  /// Radians per position for each pair of elements, if positions are rotary.
  var rotaryFrequencies: [Float] = []
  /// The same for layers with local attention, if they have their own.
  var localRotaryFrequencies: [Float] = []
  /// What a distance costs in each head, if the costs grow with distances.
  var distanceSlopes: [Float] = []
  /// The row of each distance in a table of their vectors, if there is one.
  var distancePlaces: [Float] = []
  /// The factor of the outputs of attention and of the feed-forward network, which their last linear
  /// layers absorb.
  var outputFactor: Float = 1
  /// The factor of the logits, which the final norm absorbs.
  var logitFactor: Float = 1
  /// What the head of a text classifier reads; nil for the first token, or the last one of a causal
  /// model.
  var headPooling: Pooling?
  /// What a person should know about settings.
  var warnings: [String] = []

  /// The length of an axis of the checkpoint's tensors.
  func size(of axis: Axis) -> Int {
    switch axis {
    case .hidden: architecture.hiddenSize
    case .embedding: architecture.embeddingSize
    case .intermediate: architecture.intermediateSize
    case .vocabulary: architecture.vocabularySize
    case .positions: architecture.positions.learnedRows + positionOffset
    case .tokenTypes: architecture.tokenTypes
    case .queries: architecture.queryWidth
    case .keyValues: architecture.keyValueWidth
    case .head: architecture.headSize
    case .fused: architecture.queryWidth + 2 * architecture.keyValueWidth
    case .gated: 2 * architecture.intermediateSize
    case .heads: architecture.heads
    case .buckets: DistanceBuckets.count
    case .distances:
      if case .disentangled(let rows, _) = architecture.distanceBias { rows } else { 0 }
    }
  }
}
