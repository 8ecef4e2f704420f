/// The names of llama2.c's sizes and tensors in Hugging Face's checkpoints.
package struct Llama2CNames: Sendable {
  /// Makes the members of a `config.json` of a file's sizes.
  package let config: @Sendable (Llama2CHeader) -> [(key: String, value: JSON)]
  /// Hugging Face's names of the tensors, by their names in llama2.c's `TransformerWeights`. `#` is
  /// the layer number.
  package let tensors: [String: String]

  /// Makes a description of its properties.
  package init(
    tensors: [String: String],
    config: @escaping @Sendable (Llama2CHeader) -> [(key: String, value: JSON)]
  ) {
    self.config = config
    self.tensors = tensors
  }
}
