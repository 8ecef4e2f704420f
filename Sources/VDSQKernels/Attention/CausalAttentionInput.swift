import CShims

/// Some queries of the heads that share one key head, and the keys and values up to the last of
/// them.
///
/// Position p sees the positions up to p, or the last `window` of them.
public struct CausalAttentionInput {
  /// The first head of the first query.
  public let queries: UnsafePointer<Float>
  /// Floats from one query to the next.
  public let queryStride: Int
  /// The position of the first query in its sequence, and how many queries there are.
  public let position: Int
  /// The number of queries, at consecutive positions.
  public let count: Int
  /// Heads that share the keys, side by side in a query.
  public let group: Int
  /// Position 0's key and value.
  public let keys: UnsafePointer<Float>
  /// Position 0's value.
  public let values: UnsafePointer<Float>
  /// Floats from one position to the next.
  public let stride: Int
  /// The number of floats of a head in queries, keys and values.
  public let headSize: Int
  /// How many positions a query sees, itself among them; `Int.max` for all.
  public let window: Int
  /// Factor of the scores before the softmax.
  public let scale: Float
  /// Scores s become `cap tanh(s / cap)`, as in Gemma 2; 0 for no cap.
  public let cap: Float
  /// What each position between a query and a key takes from their score (ALiBi), for each head of
  /// the group; nil for nothing.
  public let slopes: UnsafePointer<Float>?

  /// Refers to memory of the caller, which must outlive this value.
  public init(
    queries: UnsafePointer<Float>, queryStride: Int, position: Int, count: Int, group: Int,
    keys: UnsafePointer<Float>, values: UnsafePointer<Float>, stride: Int, headSize: Int,
    window: Int, scale: Float, cap: Float = 0, slopes: UnsafePointer<Float>? = nil
  ) {
    self.queries = queries
    self.queryStride = queryStride
    self.position = position
    self.count = count
    self.group = group
    self.keys = keys
    self.values = values
    self.stride = stride
    self.headSize = headSize
    self.window = window
    self.scale = scale
    self.cap = cap
    self.slopes = slopes
  }

  /// The first position that the query at `position` sees.
  @_alwaysEmitIntoClient @inline(__always)
  func start(_ position: Int) -> Int { window > position ? 0 : position - window + 1 }

  /// Floats of scratch for sequences of up to `length` positions. Values are copied only if the
  /// width of a head is not a multiple of two vectors.
  public static func scratch(length: Int, headSize: Int) -> Int {
    let paddedLength = (length + 31) / 32 * 32
    let paddedHead = (headSize + 31) / 32 * 32
    let copy = headSize % 32 == 0 ? 0 : length * paddedHead
    return (paddedHead + 8) * paddedLength + 8 * paddedHead + 8 + copy
  }
}
