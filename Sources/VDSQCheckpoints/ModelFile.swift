import VDSQFormat

/// A model in one file, in the terms of a Hugging Face folder.
protocol ModelFile {
  var config: JSON { get }
  var tensors: [String: SourceTensor] { get }
  /// The tokenizer as a `tokenizer.json`.
  func tokenizer() throws(VDSQError) -> JSON
  /// Another JSON file that a folder would have, or nil.
  func companion(_ name: String) throws(VDSQError) -> JSON?
}
