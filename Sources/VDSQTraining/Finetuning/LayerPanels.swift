package import VDSQFormat
package import VDSQInference

/// The weights of a linear layer: in place for the forward pass, and decoded panels of the transposed
/// matrix for the backward pass.
package struct LayerPanels {
  package let outputs: Int
  package let inputs: Int
  package let linear: Linear
  private let rows: StoredRows

  /// - Throws: `badInput` if the container has no such layer.
  package init(_ container: Container, _ name: String, outputs: Int, inputs: Int) throws(VDSQError)
  {
    self.outputs = outputs
    self.inputs = inputs
    rows = try StoredRows(container, "\(name).weight")
    linear = try Linear(container, name, outputs: outputs, inputs: inputs)
  }

  /// The number of floats of the decoded panels.
  package var count: Int { (outputs + 15) / 16 * 16 * ((inputs + 15) / 16 * 16) }
  package var panels: Int { (outputs + 15) / 16 }

  /// Releases the layer's section of the file.
  package func release() { rows.release() }

  /// Fills the part of the panels of `x W` that holds the rows of some panels of `x W^T`.
  package func decodeTransposed(_ range: Range<Int>, into to: UnsafeMutablePointer<Float>) {
    forEachBlock(range) { panel, column, block in
      for i in 0..<min(16, outputs - panel * 16) {
        let at = to + (column / 16 * outputs + panel * 16 + i) * 16
        for j in 0..<16 { at[j] = block[i * 16 + j] }
      }
    }
  }

  /// Calls `body` with sixteen rows by sixteen columns at a time, zero where there are none.
  private func forEachBlock(
    _ range: Range<Int>,
    _ body: (_ panel: Int, _ column: Int, _ block: UnsafeMutablePointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 256) { block in
      let block = block.baseAddress!
      for panel in range {
        for column in stride(from: 0, to: inputs, by: 16) {
          rows.block(panel * 16, column, into: block)
          body(panel, column, block)
        }
      }
    }
  }
}
