package import VDSQFormat
import VDSQInference

extension Container {
  /// The size of the weights outside the layers, with which states are compared.
  package var vocabularyBytes: Int {
    sections.reduce(0) { $0 + ($1.kind == .weights && !$1.isLayer ? $1.rawLength : 0) }
  }

  /// The size of a token's states after the embeddings and every layer.
  ///
  /// - Throws: `badInput` if the metadata is invalid.
  package func bytesOfStates() throws(VDSQError) -> Int {
    let architecture = try Architecture(metadata)
    return (architecture.layers + 1) * architecture.hiddenSize * 4
  }
}
