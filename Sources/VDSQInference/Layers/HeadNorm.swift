import VDSQFormat
import VDSQKernels

/// A norm of queries or keys: over each head, or over all heads together.
struct HeadNorm {
  private let norm: Normalization
  private let isLayerNorm: Bool
  /// The number of elements that are normalized together.
  private let columns: Int
  private let rows: Int

  /// - Parameter width: the number of elements of all heads.
  /// - Returns: nil if the container has no such norm.
  /// - Throws: `badInput` if it has another size, or is not finite.
  init?(
    _ container: Container, _ name: String, _ c: Architecture, width: Int
  ) throws(VDSQError) {
    guard let gain = container.find("\(name).weight") else { return nil }
    columns = gain.record.shape.first == width ? width : c.headSize
    rows = width / columns
    norm = try container.norm(name, columns, Float(c.normEpsilon))
    isLayerNorm = norm.bias != nil
  }

  /// Normalizes the heads of a row in place.
  func apply(to heads: UnsafeMutablePointer<Float>, _ kernels: KernelTable) {
    if isLayerNorm {
      kernels.addLayerNorm(heads, nil, norm, rows, columns, heads, nil)
    } else {
      kernels.addRMSNorm(heads, nil, norm, rows, columns, heads, nil)
    }
  }
}
