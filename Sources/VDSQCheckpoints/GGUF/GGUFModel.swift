import VDSQFormat

/// A GGUF file in Hugging Face's terms: a configuration, tensors by Hugging Face's names, a
/// tokenizer.
struct GGUFModel: ModelFile {
  let config: JSON
  let tensors: [String: SourceTensor]
  private let file: GGUF
  private let pooling: Pooling?
  private let hasDenseModules: Bool

  /// - Parameter architectures: the supported architectures.
  /// - Throws: `badInput` if the file is no model, its architecture is not supported, metadata are
  ///   missing, or ask for something that is not supported.
  init(_ file: GGUF, _ architectures: [GGUFArchitecture]) throws(VDSQError) {
    try Self.checkType(file)
    self.file = file
    let metadata = GGUFMetadata(file)
    let name = try metadata.text("general.architecture")
    guard let architecture = architectures.first(where: { $0.name == name }) else {
      let reason = Self.unsupported[name].map { " (\($0))" } ?? ""
      throw .badInput(
        "\(file.file.path): architecture \(name) is not supported in GGUF yet\(reason); supported: "
          + architectures.map(\.name).joined(separator: ", "))
    }
    try GGUFKey.check(file, architecture)
    try Self.checkAttention(metadata, architecture)
    pooling = try Self.pooling(metadata, architecture)
    hasDenseModules = architecture.features.contains(.dense)
    let config = JSON(members: try architecture.config(metadata))
    self.config = config
    tensors = try Self.named(
      file, architecture,
      headSize: architecture.alternatingHeadSize.flatMap { config[$0]?.integer })
  }

  /// Architectures of text encoders and small language models, and why no file of theirs can be
  /// run.
  private static let unsupported: [String: String] = [
    "nomic-bert-moe": "its encoder has rotary positions and experts",
    "jina-bert-v3": "its encoder has rotary positions",
    "modern-bert": "its encoder has rotary positions, a gate and norms before its parts",
    "neo-bert": "its encoder has rotary positions and a gate",
    "t5encoder": "its encoder has relative positions",
  ]

  /// Files of other kinds have the same format.
  private static func checkType(_ file: GGUF) throws(VDSQError) {
    guard file.metadata["adapter.type"] == nil else {
      throw .badInput("\(file.file.path): this is an adapter (LoRA); merge it into its model first")
    }
    guard let type = file.metadata["general.type"] else { return }
    guard case .text("model") = type else {
      let name = if case .text(let text) = type { text } else { "is no text" }
      throw .badInput("\(file.file.path): general.type \(name); only a model can be converted")
    }
  }

  private static func checkAttention(
    _ metadata: GGUFMetadata, _ architecture: GGUFArchitecture
  ) throws(VDSQError) {
    switch metadata.find("attention.causal") {
    case nil: return
    case .boolean(let flag)? where flag == architecture.isCausal: return
    case .boolean(let flag)?:
      throw metadata.refused(
        "attention.causal", "\(flag) is not supported for this architecture")
    default: throw metadata.refused("attention.causal", "it is neither true nor false")
    }
  }

  /// How states become the vector of a text; nil if the file does not say so.
  private static func pooling(
    _ metadata: GGUFMetadata, _ architecture: GGUFArchitecture
  ) throws(VDSQError) -> Pooling? {
    let key = "pooling_type"
    let value = metadata.find(key)
    switch value {
    case nil where architecture.isCausal, .integer(-1)? where architecture.isCausal,
      .integer(0)? where architecture.isCausal:
      return nil
    case nil, .integer(-1)?, .integer(0)?:
      // llama.cpp gives a vector for each token then.
      throw metadata.refused(
        key,
        "\(value == nil ? "it is missing" : "0 (none)"), so the file tells no way to make a vector of a "
          + "text; convert the model's folder, or make the file from a folder with modules.json")
    case .integer(1)?: return .mean
    case .integer(2)?: return .cls
    case .integer(3)?: return .lastToken
    case .integer(4)?:
      throw metadata.refused(key, "4 (rank): a reranker answers with a score, not with a vector")
    default:
      throw metadata.refused(key, "it is not known; supported: 1 (mean), 2 (cls), 3 (last)")
    }
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
    var layerTensors = architecture.layerTensors
    if let up = architecture.gatedUp,
      !file.tensors.keys.contains(where: { $0.contains(".ffn_gate.") })
    {
      layerTensors["ffn_up"] = up
    }
    for (name, tensor) in file.tensors {
      let parts = name.split(separator: ".")
      if let known = architecture.tensors[name] {
        tensors[known] = tensor
      } else if parts.count == 4, parts[0] == "blk",
        let known = layerTensors[String(parts[2])]
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
      } else if !rotaryFactors.contains(where: name.hasSameBytes),
        !architecture.features.contains(.dense)
          || !denseModules.contains(where: { name.hasSameBytes(as: "\($0.name).weight") })
      {
        tensors[name] = tensor
      }
    }
    return tensors
  }

  /// The Dense modules of a sentence encoder, in order: their folders in sentence-transformers, and
  /// their names here.
  private static let denseModules = [
    (folder: "2_Dense", name: "dense_2"), (folder: "3_Dense", name: "dense_3"),
  ]

  func moduleTensors(_ folder: String) -> [String: SourceTensor] {
    guard let module = Self.denseModules.first(where: { $0.folder == folder }),
      let tensor = file.tensors["\(module.name).weight"]
    else { return [:] }
    return ["linear.weight": tensor.named("linear.weight")]
  }

  /// `config.json` of a Dense module; nil if the file does not have it.
  private func denseConfig(_ module: (folder: String, name: String)) -> JSON? {
    guard hasDenseModules, let tensor = file.tensors["\(module.name).weight"],
      tensor.shape.count == 2
    else { return nil }
    let metadata = GGUFMetadata(file)
    func size(_ key: String, _ stored: Int) -> JSON {
      .integer((try? metadata.size("\(module.name)_\(key)", default: stored)) ?? 0)
    }
    return JSON(members: [
      ("in_features", size("feat_in", tensor.shape[1])),
      ("out_features", size("feat_out", tensor.shape[0])), ("bias", .bool(false)),
      ("activation_function", .string("torch.nn.modules.linear.Identity")),
    ])
  }

  /// Tensors that are part of the configuration.
  private static let rotaryFactors = [
    "rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight",
  ]

  var paths: [String] { file.files.map(\.path) }

  /// Tensors that llama.cpp does not read either.
  func isIgnorable(_ tensor: String) -> Bool {
    tensor.startsWithBytes(of: "blk.") && tensor.endsWithBytes(of: ".attn_rot_embd")
  }

  /// The pooling configuration of a sentence-transformers folder, which is nil if the file does not
  /// specify pooling, the settings of generation, and the chat template. Nil for other files.
  func companion(_ name: String) -> JSON? {
    if name == "chat_template.json", let template = file.metadata["tokenizer.chat_template"],
      case .text(let text) = template
    {
      return JSON(members: [("chat_template", .string(text))])
    }
    if name == "generation_config.json" { return generationConfig }
    guard let pooling else { return nil }
    switch name {
    case "modules.json":
      let dense = Self.denseModules.filter { denseConfig($0) != nil }
      return .array(
        ["Transformer", "Pooling"].map { JSON(members: [("type", .string($0))]) }
          + dense.map {
            JSON(members: [("type", .string("Dense")), ("path", .string($0.folder))])
          } + [JSON(members: [("type", .string("Normalize"))])])
    case "1_Pooling/config.json":
      return JSON(members: [("pooling_mode", .string(pooling.name))])
    default:
      return Self.denseModules.first { name == "\($0.folder)/config.json" }.flatMap(denseConfig)
    }
  }

  /// The tokens with which texts begin and end.
  private var generationConfig: JSON {
    func ids(_ keys: String...) -> [JSON] {
      var ids: [JSON] = []
      for key in keys {
        // -1 of 32 bits stands for none.
        for id in file.metadata["tokenizer.ggml.\(key)"]?.numbers ?? []
        where id >= 0 && id < 0xFFFF_FFFF { ids.append(.number(id)) }
      }
      return ids
    }
    return JSON(members: [
      ("bos_token_id", .array(ids("bos_token_id"))),
      (
        "eos_token_id",
        .array(ids("eos_token_id", "eot_token_id", "eom_token_id", "eos_token_ids"))
      ),
    ])
  }
}
