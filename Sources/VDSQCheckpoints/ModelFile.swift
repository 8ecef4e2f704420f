import VDSQFormat

/// A model in a single file, presented like a Hugging Face folder.
protocol ModelFile {
  var config: JSON { get }
  var tensors: [String: SourceTensor] { get }
  /// The files from which it is read.
  var paths: [String] { get }
  /// Whether a tensor that nothing reads changes nothing.
  func isIgnorable(_ tensor: String) -> Bool
  /// The tokenizer as a `tokenizer.json`.
  func tokenizer() throws(VDSQError) -> JSON
  /// The tensors of a module of a sentence encoder, by the module's folder.
  func moduleTensors(_ folder: String) -> [String: SourceTensor]
  /// Another JSON file of a Hugging Face folder, or nil.
  func companion(_ name: String) throws(VDSQError) -> JSON?
}
