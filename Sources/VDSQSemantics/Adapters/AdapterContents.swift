public import VDSQFormat

/// What an adapter's file will have, in order: typed metadata and named arrays.
public struct AdapterContents: Sendable {
  /// The numbers of an array.
  public enum Values: Sendable {
    case float32([Float])
    /// Half-precision numbers as bits.
    case float16([UInt16])
  }

  /// The metadata key that says `none` where an adapter has no head.
  static let headKey = "head"

  /// Key-value pairs.
  public var metadata = Metadata()
  /// Named arrays with their shapes.
  public private(set) var tensors: [(name: String, values: Values, shape: [Int])] = []

  /// Adds an array.
  ///
  /// - Parameter shape: its product is the number of values.
  public mutating func add(_ name: String, _ values: Values, shape: [Int]) {
    tensors.append((name, values, shape))
  }
}
