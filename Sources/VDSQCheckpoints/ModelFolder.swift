public import VDSQFormat

/// A Hugging Face model folder: configuration, tokenizer, and weights in one or more files.
public struct ModelFolder {
  public let path: String
  public let config: JSON
  /// Every weight by its name in the checkpoint.
  public let tensors: [String: SourceTensor]
  /// The files the model was read from, relative to the folder, sorted.
  public let files: [String]
  /// Bytes of the weight files.
  public let weightBytes: Int

  /// - Throws: `missingInput` where the folder or one of its files is not there, `badInput` where one
  ///   is malformed.
  public init(path: String) throws(VDSQError) {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    self.path = path
    guard InputFile.exists(path) else {
      throw VDSQError(.missingInput, "\(path): no such folder")
    }
    guard InputFile.exists("\(path)/config.json") else {
      throw VDSQError(
        .missingInput, "\(path): no config.json; give the folder of a Hugging Face model")
    }
    config = try Self.json("\(path)/config.json")
    guard config.members != nil else {
      throw .badInput("\(path)/config.json: this is no JSON object")
    }
    let weightFiles = try Self.weightFiles(path)
    var tensors: [String: SourceTensor] = [:]
    var bytes = 0
    for name in weightFiles {
      let file = try Safetensors(path: "\(path)/\(name)")
      bytes += file.file.length
      for (name, tensor) in file.tensors {
        guard tensors.updateValue(tensor, forKey: name) == nil else {
          throw .badInput("\(path): tensor \(name) is in two files")
        }
      }
    }
    self.tensors = tensors
    weightBytes = bytes
    files = (["config.json", "tokenizer.json"] + weightFiles).sorted()
  }

  /// The tokenizer. Not read before it is needed: of a large vocabulary it takes more memory than all
  /// else.
  ///
  /// - Throws: `missingInput` where the folder has none, `badInput` where it is malformed.
  public func tokenizer() throws(VDSQError) -> JSON {
    guard let tokenizer = try optionalJSON("tokenizer.json") else {
      throw VDSQError(
        .missingInput,
        "\(path): no tokenizer.json; save the tokenizer with transformers' fast tokenizer class")
    }
    return tokenizer
  }

  /// A JSON file of the folder, or nil where it is not there.
  public func optionalJSON(_ name: String) throws(VDSQError) -> JSON? {
    guard InputFile.exists("\(path)/\(name)") else { return nil }
    return try Self.json("\(path)/\(name)")
  }

  private static func json(_ path: String) throws(VDSQError) -> JSON {
    try JSON(parsing: try InputFile.contents(of: path), context: path)
  }

  private static func weightFiles(_ path: String) throws(VDSQError) -> [String] {
    if InputFile.exists("\(path)/model.safetensors") { return ["model.safetensors"] }
    let indexPath = "\(path)/model.safetensors.index.json"
    guard InputFile.exists(indexPath) else {
      throw VDSQError(
        .missingInput,
        "\(path): no weights: neither model.safetensors nor model.safetensors.index.json")
    }
    guard let map = try json(indexPath)["weight_map"]?.members else {
      throw .badInput("\(indexPath): no weight_map")
    }
    var names: Set<String> = []
    for member in map {
      guard let name = member.value.text, name.hasSuffix(".safetensors"), !name.contains("/") else {
        throw .badInput("\(indexPath): \(member.key) is in no safetensors file of this folder")
      }
      names.insert(name)
    }
    return names.sorted()
  }
}
