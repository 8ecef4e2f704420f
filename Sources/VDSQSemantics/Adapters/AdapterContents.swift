package import VDSQFormat

/// The contents of an adapter's file, in order: typed metadata and named arrays.
package struct AdapterContents: Sendable {
  /// The numbers of an array.
  package enum Values: Sendable {
    /// Single-precision numbers.
    case float32([Float])
    /// Half-precision numbers as bits.
    case float16([UInt16])
  }

  /// The metadata key with the value `none` for an adapter without a head.
  static let headKey = "head"

  /// Key-value pairs.
  package var metadata = Metadata()
  /// Named arrays with their shapes.
  package private(set) var tensors: [(name: String, values: Values, shape: [Int])] = []

  /// Adds an array.
  ///
  /// - Parameter shape: its product is the number of values.
  package mutating func add(_ name: String, _ values: Values, shape: [Int]) {
    tensors.append((name, values, shape))
  }
}
