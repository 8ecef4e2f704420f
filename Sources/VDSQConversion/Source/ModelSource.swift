import VDSQCheckpoints
package import VDSQFormat

/// The metadata of a container, and its tensors with their sources in a checkpoint.
package struct ModelSource {
  /// A tensor, how it is stored, and its shape.
  struct Tensor {
    let rows: RowSource
    let role: TensorRole
    let shape: [Int]
  }

  /// A small tensor that is made at conversion.
  struct Constant {
    let name: String
    let shape: [Int]
    let values: [Float]
  }

  let folder: Checkpoint
  package var metadata: Metadata
  let vocabularySize: Int
  var lowercases = false
  var embeddings: [Tensor] = []
  var constants: [Constant] = []
  var layers: [[Tensor]] = []
  /// The tensors after the layers.
  var head: [Tensor] = []
  /// The rows of the LM head, from which vocabulary bases are computed; nil if there is no LM head.
  var vocabulary: RowSource?

  /// The names of the checkpoint's tensors that are used.
  var used: Set<String> {
    Set((embeddings + layers.joined() + head).flatMap { $0.rows.parts.map(\.tensor.name) })
  }
}
