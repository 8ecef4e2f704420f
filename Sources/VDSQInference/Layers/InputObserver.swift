/// The inputs of a layer's linear layers.
package enum LinearInput: Int, Sendable {
  /// The input of queries, keys and values.
  case attention
  /// The input of the output projection of attention.
  case attentionOutput
  /// The input of the up projection, and of the gate if there is one.
  case feedForward
  /// The input of the down projection.
  case feedForwardDown

  /// The number of inputs.
  package static let count = 4
}

/// Sees the inputs of the linear layers of a pass, for calibration.
///
/// An encoder with an observer must have one thread.
package final class InputObserver {
  /// Rows of an input.
  package struct Rows {
    package let input: LinearInput
    /// The layer, from 0.
    package let layer: Int
    /// The rows' places in the pass.
    package let rows: Range<Int>
    /// A row of `columns` floats for each of them, `stride` floats apart.
    package let values: UnsafePointer<Float>
    package let stride: Int
    package let columns: Int
  }

  /// Called before a linear layer reads rows of its input.
  let observe: (Rows) -> Void

  package init(_ observe: @escaping (Rows) -> Void) { self.observe = observe }
}
