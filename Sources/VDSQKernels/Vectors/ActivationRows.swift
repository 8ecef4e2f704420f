/// The activation rows of one register tile. Rows beyond the last repeat the last one.
@frozen
public struct ActivationRows {
  @usableFromInline let values: UnsafeRawPointer
  @usableFromInline let stride: Int
  @usableFromInline let first: Int
  @usableFromInline let last: Int

  /// Refers to rows from `first` on of `rows` in memory of the caller.
  @_alwaysEmitIntoClient @inline(__always)
  init(_ x: QuantizedRows, first: Int, rows: Int) {
    values = UnsafeRawPointer(x.values)
    stride = x.stride
    self.first = first
    last = rows - 1
  }

  @_alwaysEmitIntoClient @inline(__always)
  init(_ values: UnsafeRawPointer, _ stride: Int, _ first: Int, _ last: Int) {
    (self.values, self.stride, self.first, self.last) = (values, stride, first, last)
  }

  /// The same rows from a later column on.
  ///
  /// - Parameter bytes: the offset of the column.
  @_alwaysEmitIntoClient @inline(__always)
  func advanced(by bytes: Int) -> ActivationRows {
    ActivationRows(values + bytes, stride, first, last)
  }

  /// The number of rows that are not repeated.
  @_alwaysEmitIntoClient @inline(__always)
  public var count: Int { last + 1 - first }

  /// The address of a row, counted from the first one.
  @_alwaysEmitIntoClient @inline(__always)
  public subscript(row: Int) -> UnsafeRawPointer { values + min(first + row, last) * stride }

  /// The address of rows 2i and 2i + 1 in `ActivationLayout.signedBytePairs`.
  @_alwaysEmitIntoClient @inline(__always)
  public func pair(_ i: Int) -> UnsafeRawPointer {
    values + (min(first + 2 * i, last) & ~1) * stride
  }
}
