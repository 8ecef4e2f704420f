import VDSQFormat
import VDSQKernels

/// How a linear layer multiplies int8 weights.
public enum Precision: Sendable {
  /// Activations quantized to u8 per token; products in integers.
  case integer
  /// Activations in float32 by weights dequantized on the fly: slower, closer to the checkpoint.
  case high
}

/// A linear layer's weights and bias, where they lie in the map.
struct Linear {
  let panels: WeightPanels

  /// - Throws: `badInput` where the container has no such layer, or one of its scales or biases is
  ///   not finite: quantizing what they lead to would hide it.
  init(_ container: Container, _ name: String, outputs: Int, inputs: Int) throws(VDSQError) {
    let view = try container.tensor(
      "\(name).weight", shape: [outputs, inputs], order: .panels16)
    panels = WeightPanels(
      element: view.record.element == .int8 ? .int8 : .float16, weights: view.data,
      scales: view.scales, rowSums: view.rowSums,
      bias: try container.finite("\(name).bias", shape: [outputs]), outputs: outputs,
      inputs: inputs)
    if let scales = view.scales { try container.check(scales, view.record.storedRows, name) }
  }
}

extension Container {
  /// A float tensor whose elements are all finite.
  func finite(_ name: String, shape: [Int]) throws(VDSQError) -> UnsafePointer<Float> {
    let values = try floats(name, shape: shape)
    try check(values, shape.reduce(1, *), name)
    return values
  }

  func check(
    _ values: UnsafePointer<Float>, _ count: Int, _ name: String
  ) throws(VDSQError) {
    for i in 0..<count where !values[i].isFinite {
      throw .badInput(
        "\(path): \(name) has a number that is not finite; check the file with vdsq inspect --verify"
      )
    }
  }
}

/// Runs linear layers on rows, quantizing them first where products are in integers.
struct LinearRunner {
  let kernels: KernelTable
  let precision: Precision

  /// `y = activation(x W^T + b)`.
  ///
  /// - Parameters:
  ///   - ranges: the extremes of x's rows, where they are known.
  ///   - scratch: room for the quantized rows.
  func apply(
    _ layer: Linear, _ x: UnsafePointer<Float>, rows: Int, ranges: RowRanges?,
    scratch: QuantizedRows, _ out: LinearOutput
  ) {
    let w = layer.panels
    if w.element == .int8, precision == .integer {
      kernels.quantizeRows(x, w.inputs, rows, w.inputs, ranges, scratch)
      kernels.gemmU8S8(scratch, rows, w, 0..<w.panels, out)
    } else {
      kernels.gemmFloat(x, w.inputs, rows, w, 0..<w.panels, out)
    }
  }
}
