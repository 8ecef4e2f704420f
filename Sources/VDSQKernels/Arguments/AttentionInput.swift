/// Some queries of one head of one sequence, and all keys and values of that sequence. Rows are
/// interleaved.
public struct AttentionInput {
  /// The sequence's first row.
  public let queries: UnsafePointer<Float>
  /// The key of the sequence's first row.
  public let keys: UnsafePointer<Float>
  /// The value of the sequence's first row.
  public let values: UnsafePointer<Float>
  /// Floats from one row to the next.
  public let stride: Int
  /// Rows of the sequence.
  public let length: Int
  /// The number of floats of a head in queries, keys and values.
  public let headSize: Int
  /// The rows for which outputs are computed.
  public let rows: Range<Int>
  /// What scores are divided by before the bias and the softmax.
  public let divisor: Float
  /// Nil for none.
  public let bias: AttentionBias?
  /// How many rows before and behind its own a query sees; `Int.max` for all.
  public let window: Int

  /// Refers to memory of the caller, which must outlive this value.
  ///
  /// - Parameter divisor: nil for the square root of the head's size.
  public init(
    queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>,
    stride: Int, length: Int, headSize: Int, rows: Range<Int>, divisor: Float? = nil,
    bias: AttentionBias? = nil, window: Int = .max
  ) {
    self.queries = queries
    self.keys = keys
    self.values = values
    self.stride = stride
    self.length = length
    self.headSize = headSize
    self.rows = rows
    self.divisor = divisor ?? Float(headSize).squareRoot()
    self.bias = bias
    self.window = window
  }

  /// The keys that some queries see together.
  @_alwaysEmitIntoClient @inline(__always)
  public func seen(_ rows: Range<Int>) -> Range<Int> {
    guard window < length else { return 0..<length }
    return max(0, rows.lowerBound - window)..<min(length, rows.upperBound + window)
  }

  /// The number of floats of scratch for one head of a sequence of `length` rows.
  public static func scratch(length: Int, headSize: Int) -> Int {
    let paddedLength = (length + 31) / 32 * 32
    let paddedHead = (headSize + 31) / 32 * 32
    return (paddedHead + 8) * paddedLength + length * paddedHead + 8 * paddedHead + 8
  }
}
