public import VDSQFormat
public import VDSQInference

/// Directions of a layer's states, as `vdsq direction` stores them (.vdsd).
public struct DirectionFile: Sendable {
  /// The layer behind which the directions were found: 0 for the embeddings.
  public let layer: Int
  /// How they were found: `mean`, `lda`, `pca` or `jacobian`.
  public let method: String
  /// `[count][hidden size]`, each of length 1.
  public let vectors: [[Float]]
  /// The mean cosine of states to each direction. Removing a direction gives a state this cosine.
  public let offsets: [Float]

  /// Opens a file of directions.
  ///
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it was made for another
  ///   model.
  public init(path: String, for encoder: TextEncoder) throws(VDSQError) {
    let container = try Container(path: path, kind: .directions)
    let metadata = container.metadata
    let owner = try metadata.find(integer: "model_identity", in: 0...Int(UInt32.max))
    guard owner == Int(encoder.container.identity) else {
      throw .badInput(
        "\(path): the directions were found in another model than \(encoder.container.path)")
    }
    layer = try metadata.integer("layer", in: 0...encoder.layers)
    method = try metadata.text("method")
    let count = try metadata.integer("count", in: 1...65536), d = encoder.hiddenSize
    let rows = try container.floats("directions.vectors", shape: [count, d])
    let offsets = try container.floats("directions.offsets", shape: [count])
    vectors = (0..<count).map { Array(UnsafeBufferPointer(start: rows + $0 * d, count: d)) }
    self.offsets = Array(UnsafeBufferPointer(start: offsets, count: count))
    guard vectors.allSatisfy({ $0.allSatisfy { $0.isFinite } }),
      self.offsets.allSatisfy({ $0.isFinite })
    else { throw .badInput("\(path): directions that are not finite") }
  }
}
