import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQTokenizers

/// Reads a part of each tensor that a checkpoint claims to have.
private func read(_ tensors: [String: SourceTensor]) throws(VDSQError) {
  for (_, tensor) in tensors.sorted(by: { $0.key < $1.key }).prefix(32) {
    guard tensor.rows > 0, tensor.columns > 0, tensor.columns <= 1 << 16 else { continue }
    _ = try tensor.read(rows: tensor.rows - 1..<tensor.rows)
  }
}

func fuzzSafetensors(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  try read(try Safetensors(path: MemoryFile.path(of: bytes)).tensors)
}

func fuzzPyTorch(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  try read(try PyTorchArchive(path: MemoryFile.path(of: bytes)).tensors)
}

/// A GGUF file, as a checkpoint: its tensors, its configuration and its tokenizer.
func fuzzGGUF(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  let path = MemoryFile.path(of: bytes)
  try read(try GGUF(path: path).tensors)
  try fuzzTokenizer(try Checkpoint(path: path).tokenizer())
}

/// A tokenizer.json: compiled, and run on a text.
func fuzzTokenizer(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  try fuzzTokenizer(try JSON(parsing: bytes, context: "tokenizer.json"))
}

private func fuzzTokenizer(_ json: JSON) throws(VDSQError) {
  let section = try TokenizerConversion(json, path: "tokenizer.json").section(
    vocabularySize: 1000, lowercases: false)
  try section.withBytes { (raw) throws(VDSQError) in
    let tokenizer = try Tokenizer(section: raw, path: "section")
    var ids: [Int32] = []
    var text = "A bad \u{E9}a\u{301} 12, x<s>!  \u{4E2D}"
    text.withUTF8 {
      _ = tokenizer.encode(UnsafeRawBufferPointer($0), limit: 32, into: &ids)
    }
    precondition(ids.count <= 32)
  }
}

/// An ONNX file: its operations, followed as those of an encoder, and its weights.
func fuzzONNX(_ bytes: UnsafeRawBufferPointer) throws(VDSQError) {
  let model = try ONNXModel(path: MemoryFile.path(of: bytes))
  try read(try EncoderGraph(model, CheckpointArchitecture.onnx[0].encoderNames).tensors)
}
