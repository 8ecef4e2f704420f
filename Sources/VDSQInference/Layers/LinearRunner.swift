import VDSQFormat
package import VDSQKernels

/// Runs linear layers on rows, which are quantized first if products are in integers.
package struct LinearRunner {
  let kernels: KernelTable
  let precision: Precision

  package init(kernels: KernelTable, precision: Precision) {
    (self.kernels, self.precision) = (kernels, precision)
  }

  /// Whether a layer's products are in integers.
  func isInteger(_ layer: Linear) -> Bool {
    (layer.panels.element == .int8 || layer.panels.element == .int4) && precision == .integer
  }

  /// `y = activation(x W^T + b)`.
  ///
  /// - Parameters:
  ///   - stride: floats from one row of x to the next; nil if rows are contiguous.
  ///   - panels: the range of output panels of sixteen rows; nil for all.
  ///   - ranges: the minimum and maximum of each row of x, if they are known.
  ///   - scratch: a buffer for the quantized rows.
  package func apply(
    _ layer: Linear, _ x: UnsafePointer<Float>, stride: Int? = nil, rows: Int,
    ranges: RowRanges?, scratch: QuantizedRows, _ out: LinearOutput, panels: Range<Int>? = nil
  ) {
    let w = layer.panels
    let panels = panels ?? 0..<w.panels
    if isInteger(layer) {
      kernels.quantizeRows(x, stride ?? w.inputs, rows, w.inputs, ranges, scratch)
      kernels.gemmU8S8(scratch, rows, w, panels, out)
    } else {
      kernels.gemmFloat(x, stride ?? w.inputs, rows, w, panels, out)
    }
  }
}
