public import VDSQFormat
public import VDSQInference
package import VDSQKernels

/// The translators of a tuned lens: an affine map for each layer, from its states to those of the
/// last layer (Belrose et al. 2023, arXiv 2303.08112; fitted by least squares as in Din et al.
/// 2023, arXiv 2303.09435). `TunedLensFit` makes its file.
///
///     translated = h + R_l h + b_l
public struct TunedLens: Sendable {
  /// The number of dimensions of a state.
  public let dimensions: Int
  /// For each layer but the last, the embeddings first: R in half precision, row-major, and b.
  private let maps: [Translator]
  /// Keeps the map of the file.
  private let container: Container

  private struct Translator: Sendable {
    nonisolated(unsafe) let matrix: UnsafeRawPointer
    nonisolated(unsafe) let bias: UnsafePointer<Float>
  }

  /// Opens a file of translators.
  ///
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it was made for another
  ///   model.
  public init(path: String, for encoder: TextEncoder) throws(VDSQError) {
    container = try Container(path: path, kind: .lens)
    let owner = try container.metadata.find(integer: "model_identity", in: 0...Int(UInt32.max))
    guard owner == Int(encoder.container.identity) else {
      throw .badInput("\(path): the lens was made for another model than \(encoder.container.path)")
    }
    let d = encoder.hiddenSize
    var maps: [Translator] = []
    for layer in 0..<encoder.layers {
      let matrix = try container.tensor("lens.\(layer).weight", shape: [d, d])
      guard matrix.record.element == .float16, matrix.record.order == .rowMajor else {
        throw .badInput("\(path): tensor lens.\(layer).weight is not in half precision")
      }
      maps.append(
        Translator(
          matrix: matrix.data, bias: try container.floats("lens.\(layer).bias", shape: [d])))
    }
    self.maps = maps
    dimensions = d
  }

  /// The size of the translators of a model.
  ///
  /// - Throws: `badInput` if the metadata of the model is invalid.
  package static func bytes(for model: Container) throws(VDSQError) -> Int {
    let architecture = try Architecture(model.metadata)
    let d = architecture.hiddenSize
    return architecture.layers * (2 * d * d + 4 * d)
  }

  /// Translates a state of a layer.
  ///
  /// - Parameters:
  ///   - layer: 0 for the embeddings. The states of the last layer stay as they are.
  ///   - state: `dimensions` floats, as the next layer reads them.
  package func translate(
    _ layer: Int, _ state: UnsafePointer<Float>, _ kernels: KernelTable,
    into out: UnsafeMutablePointer<Float>
  ) {
    guard layer < maps.count else {
      for i in 0..<dimensions { out[i] = state[i] }
      return
    }
    kernels.dotHalfRows(state, maps[layer].matrix, dimensions, dimensions, out)
    for i in 0..<dimensions { out[i] += state[i] + maps[layer].bias[i] }
  }
}
