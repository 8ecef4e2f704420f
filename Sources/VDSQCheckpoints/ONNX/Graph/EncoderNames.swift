/// The names that a kind of encoder has for its tensors in Hugging Face's checkpoints.
package struct EncoderNames: Sendable {
  /// The values of `model_type` in `config.json`.
  package let modelTypes: [String]
  /// The names in checkpoints of each tensor of a container, whose rows are stacked there; `#` is
  /// the number of the layer in both.
  package let sources: [String: [String]]

  package init(modelTypes: [String], sources: [String: [String]]) {
    self.modelTypes = modelTypes
    self.sources = sources
  }
}
