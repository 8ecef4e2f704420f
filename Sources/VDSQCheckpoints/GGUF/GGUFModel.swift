import VDSQFormat

/// A GGUF file in Hugging Face's terms: a configuration, tensors by Hugging Face's names, a
/// tokenizer.
struct GGUFModel: ModelFile {
  let config: JSON
  let tensors: [String: SourceTensor]
  private let file: GGUF

  /// - Parameter architectures: the supported architectures.
  /// - Throws: `badInput` if the architecture is not supported, or metadata are missing.
  init(_ file: GGUF, _ architectures: [GGUFArchitecture]) throws(VDSQError) {
    self.file = file
    let metadata = GGUFMetadata(file)
    let name = try metadata.text("general.architecture")
    guard let architecture = architectures.first(where: { $0.name == name }) else {
      throw .badInput(
        "\(file.file.path): architecture \(name) is not supported in GGUF; supported: "
          + architectures.map(\.name).joined(separator: ", "))
    }
    let config = JSON(members: try architecture.config(metadata))
    self.config = config
    tensors = try Self.named(
      file, architecture,
      headSize: architecture.alternatingHeadSize.flatMap { config[$0]?.integer })
  }

  func tokenizer() throws(VDSQError) -> JSON {
    try GGUFTokenizer(file.metadata, path: file.file.path).json
  }

  /// - Parameter headSize: the size of a head if rows of queries and keys alternate between the
  ///   halves of heads.
  private static func named(
    _ file: GGUF, _ architecture: GGUFArchitecture, headSize: Int?
  ) throws(VDSQError) -> [String: SourceTensor] {
    var tensors: [String: SourceTensor] = [:]
    for (name, tensor) in file.tensors {
      let parts = name.split(separator: ".")
      if let known = architecture.tensors[name] {
        tensors[known] = tensor
      } else if parts.count == 4, parts[0] == "blk",
        let known = architecture.layerTensors[String(parts[2])]
      {
        var tensor = tensor
        if let headSize, parts[2] == "attn_q" || parts[2] == "attn_k" {
          guard headSize > 0, headSize % 2 == 0, tensor.rows % headSize == 0 else {
            throw .badInput("\(file.file.path): tensor \(name) is not made of heads of \(headSize)")
          }
          tensor.order = .alternatingHalves(headSize: headSize)
        }
        tensor.isTransposed = architecture.isTransposed && tensor.shape.count == 2
        let place = known.split(separator: "#", omittingEmptySubsequences: false)
          .joined(separator: String(parts[1]))
        tensors["\(place).\(parts[3])"] = tensor
      } else {
        tensors[name] = tensor
      }
    }
    return tensors
  }

  /// The pooling configuration of a sentence-transformers folder. Nil for other files, and if the
  /// GGUF file does not specify pooling.
  func companion(_ name: String) -> JSON? {
    guard case .integer(let kind)? = GGUFMetadata(file).find("pooling_type"),
      let pooling = [1: Pooling.mean, 2: .cls][kind]
    else { return nil }
    switch name {
    case "modules.json":
      return .array(
        ["Transformer", "Pooling", "Normalize"].map { JSON(members: [("type", .string($0))]) })
    case "1_Pooling/config.json":
      return JSON(members: [("pooling_mode", .string(pooling.name))])
    default: return nil
    }
  }
}
