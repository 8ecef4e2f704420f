package import VDSQCheckpoints
package import VDSQFormat

extension Checkpoint {
  /// Opens a checkpoint of any supported format and architecture.
  ///
  /// - Throws: `missingInput` if the folder or one of its files does not exist, `badInput` if one
  ///   is malformed.
  package init(path: String) throws(VDSQError) {
    try self.init(
      path: path, gguf: CheckpointArchitecture.withVariants.compactMap(\.gguf),
      llama2C: CheckpointArchitecture.llama2C,
      encoders: CheckpointArchitecture.onnx.map(\.encoderNames))
  }
}
