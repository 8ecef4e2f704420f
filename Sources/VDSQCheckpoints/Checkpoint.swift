package import VDSQFormat

/// A checkpoint in Hugging Face's terms: configuration, tokenizer and weights.
///
/// It is a folder with weights in safetensors or PyTorch's format, a GGUF file, or a file of
/// llama2.c.
package struct Checkpoint {
  /// The folder, or the single file.
  package let path: String
  /// The model's `config.json`, or its equivalent built from the metadata of a single file.
  package let config: JSON
  /// Every weight by its name.
  package let tensors: [String: SourceTensor]
  /// The names of the files that were read, sorted.
  package let files: [String]
  /// The size of the weight files in bytes.
  package let weightBytes: Int
  /// Nil for a folder.
  private let single: (any ModelFile)?

  /// Opens a checkpoint.
  ///
  /// - Parameters:
  ///   - gguf: the architectures of GGUF files that are supported.
  ///   - llama2C: the names of llama2.c's tensors.
  /// - Throws: `missingInput` if the folder or one of its files does not exist, `badInput` if one
  ///   is malformed.
  package init(
    path: String, gguf: [GGUFArchitecture], llama2C: Llama2CNames
  ) throws(VDSQError) {
    let given = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard InputFile.exists(given) else {
      throw VDSQError(.missingInput, "\(given): no such file or folder")
    }
    // A weight file in a folder means the weights of that file and everything else of the folder.
    let chosen = Self.weightFile(given)
    let path = chosen?.folder ?? given
    self.path = path
    if let model = try Self.single(path, gguf, llama2C) {
      single = model
      config = model.config
      tensors = model.tensors
      var bytes = 0
      for path in model.paths { bytes += try InputFile(path: path).length }
      weightBytes = bytes
      files = model.paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
      return
    }
    single = nil
    guard InputFile.exists("\(path)/config.json") else {
      let known =
        "a Hugging Face model's folder or a file of weights in one, a GGUF file, or llama2.c's .bin"
      throw VDSQError(.missingInput, "\(path): no config.json; give \(known)")
    }
    config = try Self.json("\(path)/config.json")
    guard config.members != nil else {
      throw .badInput("\(path)/config.json: this is no JSON object")
    }
    let weightFiles = if let chosen { [chosen.name] } else { try Self.weightFiles(path) }
    var tensors: [String: SourceTensor] = [:]
    var bytes = 0
    for name in weightFiles {
      let (file, own) = try Self.weights("\(path)/\(name)")
      bytes += file.length
      for (name, tensor) in own {
        guard tensors.updateValue(tensor, forKey: name) == nil else {
          throw .badInput("\(path): tensor \(name) is in two files")
        }
      }
    }
    self.tensors = tensors
    weightBytes = bytes
    files = (["config.json", "tokenizer.json"] + weightFiles).sorted()
  }

  /// The folder and the name of a weight file that is not a model by itself.
  private static func weightFile(_ path: String) -> (folder: String, name: String)? {
    guard [".safetensors", ".pt", ".pth", ".bin"].contains(where: path.hasSuffix),
      !Llama2C.isModel(path), !InputFile.exists("\(path)/config.json")
    else { return nil }
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let name = String(parts.removeLast())
    let folder = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
    return InputFile.exists("\(folder)/config.json") ? (folder, name) : nil
  }

  private static func single(
    _ path: String, _ gguf: [GGUFArchitecture], _ llama2C: Llama2CNames
  ) throws(VDSQError) -> (any ModelFile)? {
    if GGUF.isGGUF(path) { return try GGUFModel(try GGUF.whole(path: path), gguf) }
    if Llama2C.isModel(path) || (path.hasSuffix(".bin") && !PyTorchArchive.isArchive(path)) {
      return try Llama2C(path: path, names: llama2C)
    }
    return nil
  }

  /// The path of one of `files`.
  package func location(of file: String) -> String {
    guard let single else { return "\(path)/\(file)" }
    return single.paths.first { $0.endsWithBytes(of: file) } ?? path
  }

  /// Whether a tensor that a conversion does not use may be left out. In a single file it would be
  /// part of what the model computes.
  package func isIgnorable(_ tensor: String) -> Bool { single?.isIgnorable(tensor) ?? true }

  /// The tokenizer. It is read on access, because a large vocabulary takes more memory than
  /// everything else.
  ///
  /// - Throws: `missingInput` if the folder has none, `badInput` if it is malformed.
  package func tokenizer() throws(VDSQError) -> JSON {
    if let single { return try single.tokenizer() }
    guard let tokenizer = try optionalJSON("tokenizer.json") else {
      throw VDSQError(
        .missingInput,
        "\(path): no tokenizer.json; save the tokenizer with transformers' fast tokenizer class")
    }
    return tokenizer
  }

  /// A JSON file of the folder, or nil if it does not exist.
  package func optionalJSON(_ name: String) throws(VDSQError) -> JSON? {
    if let single { return try single.companion(name) }
    guard InputFile.exists("\(path)/\(name)") else { return nil }
    return try Self.json("\(path)/\(name)")
  }

  private static func json(_ path: String) throws(VDSQError) -> JSON {
    try JSON(parsing: try InputFile.contents(of: path), context: path)
  }

  private static func weights(
    _ path: String
  ) throws(VDSQError) -> (InputFile, [String: SourceTensor]) {
    if path.hasSuffix(".safetensors") {
      let file = try Safetensors(path: path)
      return (file.file, file.tensors)
    }
    let file = try PyTorchArchive(path: path)
    return (file.file, file.tensors)
  }

  /// The weights of a folder. Safetensors precede PyTorch's format, and one file precedes several.
  private static func weightFiles(_ path: String) throws(VDSQError) -> [String] {
    for (name, suffix) in [("model.safetensors", ".safetensors"), ("pytorch_model.bin", ".bin")] {
      if InputFile.exists("\(path)/\(name)") { return [name] }
      let indexPath = "\(path)/\(name).index.json"
      guard InputFile.exists(indexPath) else { continue }
      guard let map = try json(indexPath)["weight_map"]?.members else {
        throw .badInput("\(indexPath): no weight_map")
      }
      var names: Set<String> = []
      for member in map {
        guard let name = member.value.text, name.hasSuffix(suffix), !name.contains("/") else {
          throw .badInput(
            "\(indexPath): \(member.key) is in no \(suffix.dropFirst()) file of this folder")
        }
        names.insert(name)
      }
      return names.sorted()
    }
    throw VDSQError(
      .missingInput,
      "\(path): no weights: neither model.safetensors nor pytorch_model.bin, nor an index of either"
    )
  }
}
