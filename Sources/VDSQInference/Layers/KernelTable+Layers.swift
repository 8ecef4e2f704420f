import VDSQFormat
import VDSQKernels

extension KernelTable {
  /// Normalizes rows, as the architecture does. `y` may be `x`.
  func normalize(
    _ x: UnsafePointer<Float>, _ norm: Normalization, _ kind: Architecture.Norm, rows: Int,
    columns: Int, into y: UnsafeMutablePointer<Float>, ranges: RowRanges? = nil
  ) {
    switch kind {
    case .rmsNorm: addRMSNorm(x, nil, norm, rows, columns, y, ranges)
    case .layerNorm: addLayerNorm(x, nil, norm, rows, columns, y, ranges)
    }
  }

  /// The gate of a feed-forward network: the first `width` elements of a row become
  /// `activation(gate) * up`. The others are the up projection.
  ///
  /// - Parameters:
  ///   - inner: the first row; rows are `2 * width` floats apart.
  ///   - columns: the part of the elements.
  func gateRows(
    _ inner: UnsafeMutablePointer<Float>, _ rows: Range<Int>, width: Int, columns: Range<Int>,
    _ activation: Activation
  ) {
    for row in rows {
      let own = inner + row * 2 * width + columns.lowerBound
      gate(own, own + width, columns.count, activation)
    }
  }
}
