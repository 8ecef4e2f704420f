import VDSQInference
import VDSQKernels

/// States as queries of vocabulary rows. The initializer allocates all memory; the states belong to
/// the caller.
final class VocabularyQueries {
  /// The number of states, at most the capacity.
  private(set) var count = 0
  /// The states, `[count, dimensions]`.
  private(set) var states: UnsafePointer<Float>
  /// For each state, its integers. Their factor makes products cosines, or logits of the head.
  let int8: UnsafeMutablePointer<Int8Query>
  /// For each state, the factor of products in floats: its reciprocal length for cosines.
  let factors: UnsafeMutablePointer<Float>
  /// For each state, the product of the common vector of bases and the state, times the factor.
  let shifts: UnsafeMutablePointer<Float>
  private let dimensions: Int
  private let bytes: UnsafeMutablePointer<Int8>

  init(capacity: Int, dimensions: Int) {
    self.dimensions = dimensions
    int8 = .allocate(capacity: capacity)
    factors = .allocate(capacity: capacity)
    shifts = .allocate(capacity: capacity)
    bytes = .allocate(capacity: capacity * Int8Query.paddedColumns(dimensions))
    states = UnsafePointer(factors)
  }

  deinit {
    int8.deallocate()
    factors.deallocate()
    shifts.deallocate()
    bytes.deallocate()
  }

  /// The state of a query.
  func state(_ index: Int) -> UnsafePointer<Float> { states + index * dimensions }

  /// Refers to other states, which must stay until the next call.
  ///
  /// - Parameters:
  ///   - areCosines: whether products are divided by the lengths of states.
  ///   - common: the vector that is added to all rows.
  func set(
    _ states: UnsafePointer<Float>, count: Int, areCosines: Bool, common: UnsafePointer<Float>?,
    _ kernels: KernelTable
  ) {
    self.states = states
    self.count = count
    let padded = Int8Query.paddedColumns(dimensions)
    for i in 0..<count {
      let norm = length(state(i), dimensions)
      let integers = kernels.int8Query(state(i), dimensions, bytes + i * padded)
      // The lengths of both sides cancel in cosines. The logits of the head need that of the state
      // again.
      int8[i] =
        areCosines
        ? integers
        : Int8Query(
          values: integers.values, sum: integers.sum,
          reciprocalNorm: integers.reciprocalNorm * norm)
      factors[i] = areCosines ? (norm > 0 ? 1 / norm : 0) : 1
      shifts[i] = 0
      if let common { kernels.dotRows(state(i), common, 1, dimensions, shifts + i) }
      shifts[i] *= factors[i]
    }
  }
}
