package import VDSQKernels

/// The rows of a feature matrix: in memory, in single precision or, where there are many, in half
/// precision; or in the file of a cache, where a memory budget has no room for them.
///
/// A row in half precision has a factor, by which its largest element is 1. So rounding changes an
/// element by at most 0.05% of itself, or 3e-8 of the largest one, which is a hundredth of what
/// int8 weights change.
package final class StateRows: Sendable {
  private enum Elements: Sendable {
    case floats([Float])
    /// Bits, with a factor for each row.
    case halves([UInt16], factors: [Float], KernelTable)
    case records(StateRecords)
  }

  /// The number of elements of a row.
  package let columns: Int
  package let rows: Int
  private let elements: Elements

  /// - Precondition: values are whole rows.
  package init(_ values: [Float], columns: Int) {
    precondition(values.count % columns == 0)
    self.columns = columns
    rows = values.count / columns
    elements = .floats(values)
  }

  /// Rows that stay in a file.
  package init(_ records: StateRecords) {
    columns = records.columns
    rows = records.rows
    elements = .records(records)
  }

  fileprivate init(halves: [UInt16], factors: [Float], columns: Int, kernels: KernelTable) {
    self.columns = columns
    rows = factors.count
    elements = .halves(halves, factors: factors, kernels)
  }

  /// Calls `body` with the row's first elements.
  ///
  /// - Parameter count: the number of elements that are needed.
  package func withRow<Result, Failure: Error>(
    _ row: Int, first count: Int, _ body: (UnsafePointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch elements {
    case .floats(let values):
      return try values.withUnsafeBufferPointer { (values) throws(Failure) in
        try body(values.baseAddress! + row * columns)
      }
    case .halves, .records:
      return try withTemporaryFloats(count) { (copied) throws(Failure) in
        copy(row, first: count, into: copied)
        return try body(copied)
      }
    }
  }

  /// Copies a row's first elements.
  package func copy(_ row: Int, first count: Int, into to: UnsafeMutablePointer<Float>) {
    switch elements {
    case .floats(let values):
      values.withUnsafeBufferPointer {
        to.update(from: $0.baseAddress! + row * columns, count: count)
      }
    case .halves(let bits, let factors, let kernels):
      bits.withUnsafeBufferPointer {
        kernels.dequantizeHalf($0.baseAddress! + row * columns, count, to)
      }
      let factor = factors[row]
      for j in 0..<count { to[j] *= factor }
    case .records(let records): records.copy(row, first: count, into: to)
    }
  }

  /// Rows that are added one after another.
  package struct Builder {
    /// Matrices of more bytes in single precision are stored in half precision. A threshold, so
    /// that a few examples are exactly what `classify` computes.
    package static let mostFloatBytes = 16 << 20

    /// The number of bytes of a matrix.
    package static func bytes(rows: Int, columns: Int) -> Int {
      let floats = 4 * rows * columns
      return floats > mostFloatBytes ? floats / 2 + 4 * rows : floats
    }

    private let columns: Int
    private let kernels: KernelTable
    private let isHalf: Bool
    private var floats: [Float] = []
    private var halves: [UInt16] = []
    private var factors: [Float] = []
    package private(set) var count = 0

    /// - Parameter capacity: the maximum number of rows.
    package init(columns: Int, capacity: Int, kernels: KernelTable) {
      self.columns = columns
      self.kernels = kernels
      isHalf = 4 * capacity * columns > Self.mostFloatBytes
      if isHalf {
        halves.reserveCapacity(capacity * columns)
        factors.reserveCapacity(capacity)
      } else {
        floats.reserveCapacity(capacity * columns)
      }
    }

    /// Adds a row of zeros, which `set` can replace.
    package mutating func addZeros() {
      if isHalf {
        halves.append(contentsOf: repeatElement(0, count: columns))
        factors.append(0)
      } else {
        floats.append(contentsOf: repeatElement(0, count: columns))
      }
      count += 1
    }

    /// Adds a row.
    package mutating func add(_ state: UnsafePointer<Float>) {
      addZeros()
      set(count - 1, state)
    }

    /// Replaces a row.
    package mutating func set(_ row: Int, _ state: UnsafePointer<Float>) {
      let start = row * columns
      guard isHalf else {
        for j in 0..<columns { floats[start + j] = state[j] }
        return
      }
      var most: Float = 0
      for j in 0..<columns { most = max(most, state[j].magnitude) }
      // A state that is not finite stays so, and training refuses it.
      factors[row] = most
      let factor = most > 0 ? 1 / most : 0
      for j in 0..<columns { halves[start + j] = Float16(state[j] * factor).bitPattern }
    }

    /// The rows that were added.
    package consuming func finish() -> StateRows {
      isHalf
        ? StateRows(halves: halves, factors: factors, columns: columns, kernels: kernels)
        : StateRows(floats, columns: columns)
    }
  }
}

/// `withUnsafeTemporaryAllocation` with the type of the error, which Swift 6.2 does not keep.
func withTemporaryFloats<Result, Failure: Error>(
  _ count: Int, _ body: (UnsafeMutablePointer<Float>) throws(Failure) -> Result
) throws(Failure) -> Result {
  let outcome: Swift.Result<Result, Failure> =
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { floats in
      do throws(Failure) {
        return .success(try body(floats.baseAddress!))
      } catch {
        return .failure(error)
      }
    }
  return try outcome.get()
}
