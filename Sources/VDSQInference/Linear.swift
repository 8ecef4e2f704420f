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

  init(_ container: Container, _ name: String, outputs: Int, inputs: Int) throws(VDSQError) {
    let view = try container.tensor(
      "\(name).weight", shape: [outputs, inputs], order: .panels16)
    panels = WeightPanels(
      element: view.record.element == .int8 ? .int8 : .float16, weights: view.data,
      scales: view.scales, rowSums: view.rowSums,
      bias: try container.floats("\(name).bias", shape: [outputs]), outputs: outputs,
      inputs: inputs)
  }
}

/// Runs linear layers over all threads.
struct LinearRunner {
  let kernels: KernelTable
  let threads: ThreadPool
  let precision: Precision

  /// Below this many multiply-adds, waking another thread takes longer than the work.
  static let smallestShare = 2_000_000

  /// `y = activation(x W^T + b)`.
  ///
  /// - Parameter scratch: room for the quantized rows.
  func apply(
    _ layer: Linear, _ x: UnsafePointer<Float>, rows: Int, activation: Activation,
    scratch: QuantizedRows, y: UnsafeMutablePointer<Float>
  ) {
    let w = layer.panels
    let integer = w.element == .int8 && precision == .integer
    if integer { kernels.quantizeRows(x, w.inputs, rows, w.inputs, scratch) }
    let work = rows * w.inputs * w.outputs
    let shares = max(1, min(threads.count, work / Self.smallestShare))
    // Pairs of panels stay together: the widest register tile takes two.
    let pairs = (w.panels + 1) / 2
    threads.run(shares) { share, _ in
      let range =
        pairs * share / shares * 2..<min(pairs * (share + 1) / shares * 2, w.panels)
      if integer {
        kernels.gemmU8S8(scratch, rows, w, range, activation, y, w.outputs)
      } else {
        kernels.gemmFloat(x, w.inputs, rows, w, range, activation, y, w.outputs)
      }
    }
  }
}
