import VDSQCheckpoints
import VDSQFormat

/// The modules of a sentence-transformers model (`modules.json`): how states become the vector of a
/// text.
///
/// Modules are those of sentence-transformers and run in the order of the list: Transformer,
/// Pooling, and any of Dense, LayerNorm and Normalize.
struct SentenceModules {
  private(set) var pooling = Pooling.mean
  /// Poolings whose vectors follow that of `pooling`.
  private(set) var morePoolings: [Pooling] = []
  /// Whether the states of a prompt are pooled.
  private(set) var includesPrompt = true
  /// What follows pooling.
  private(set) var modules: [OutputModule] = []
  /// The tensors of these modules, `modules.0.weight` and so on.
  private(set) var tensors: [ModelSource.Tensor] = []
  /// Whether the modules have a pooling.
  private(set) var hasPooling = false
  /// The number of elements that the modules read; nil if they read any number.
  private(set) var inputs: Int?
  /// Unknown keys, as warnings.
  private(set) var warnings: [String] = []
  /// The number of elements behind the modules read so far; nil if only pooling was read.
  private var width: Int?
  private let folder: Checkpoint

  /// - Parameter list: the content of `modules.json`.
  /// - Throws: `badInput` if a module, its place or a setting of it is not supported, or its weights
  ///   are not those that its configuration describes.
  init(_ list: JSON, _ folder: Checkpoint) throws(VDSQError) {
    self.folder = folder
    for (place, module) in (list.elements ?? []).enumerated() { try read(module, place) }
  }

  private mutating func check(
    _ json: JSON, _ keys: SettingKeys, _ path: String
  ) throws(VDSQError) {
    for key in try keys.check(json, path: path) {
      warnings.append("\(path): \(key) is not known, and not followed")
    }
  }

  private mutating func read(_ module: JSON, _ place: Int) throws(VDSQError) {
    let path = "\(folder.root)/modules.json"
    try check(module, .module, path)
    let type = module["type"]?.text ?? ""
    guard !type.contains(".") || type.hasPrefix("sentence_transformers.") else {
      throw .badInput("\(path): module \(type) is code of the model's own, which is not run")
    }
    switch type.split(separator: ".").last.map(String.init) ?? "" {
    case "Transformer":
      guard place == 0 else {
        throw .badInput("\(path): module \(type) is supported in the first place only")
      }
    case "StaticEmbedding":
      // Its vector is the mean of its rows.
      guard place == 0 else {
        throw .badInput("\(path): module \(type) is supported in the first place only")
      }
      hasPooling = true
    // Dropout is for training.
    case "Dropout": return
    case "Pooling":
      guard !hasPooling else { throw .badInput("\(path): there are two poolings") }
      let (config, file) = try configuration(of: module)
      try check(config, .pooling, file)
      let poolings = try Self.poolings(config, file)
      (pooling, morePoolings) = (poolings[0], Array(poolings.dropFirst()))
      includesPrompt = try config.flag("include_prompt", file) ?? true
      hasPooling = true
    case "Normalize":
      if let (config, file) = try optionalConfiguration(of: module) {
        try check(config, .normalize, file)
      }
      // Without a vector there is nothing to normalize.
      if hasPooling { modules.append(.normalize) }
    case "Dense":
      let (config, file) = try configurationBehindPooling(of: module, type)
      try check(config, .dense, file)
      let columns = try Self.size("in_features", in: config, file)
      let rows = try Self.size("out_features", in: config, file)
      let hasBias = try config.flag("bias", file) ?? true
      try add(
        module, .dense(try Self.activation(config, file)),
        [("weight", "linear.weight", [rows, columns])]
          + (hasBias ? [("bias", "linear.bias", [rows])] : []),
        inputs: columns, outputs: rows)
    case "LayerNorm":
      let (config, file) = try configurationBehindPooling(of: module, type)
      try check(config, .layerNorm, file)
      let size = try Self.size("dimension", in: config, file)
      try add(
        module, .layerNorm, [("weight", "norm.weight", [size]), ("bias", "norm.bias", [size])],
        inputs: size, outputs: size)
    default:
      throw .badInput(
        "\(path): module \(type) is not supported; supported: Transformer, Pooling, Dense, "
          + "LayerNorm, Normalize, Dropout")
    }
  }

  // MARK: Modules with weights

  /// Adds a module with tensors: the name in the container, that in the checkpoint, and the shape.
  private mutating func add(
    _ module: JSON, _ kind: OutputModule, _ wanted: [(String, source: String, shape: [Int])],
    inputs: Int, outputs: Int
  ) throws(VDSQError) {
    let name = module["path"]?.text ?? ""
    guard width == nil || width == inputs else {
      throw .badInput(
        "\(folder.root)/\(name)/config.json: the module reads \(inputs) elements; the one before "
          + "has \(width ?? 0)")
    }
    let stored = try folder.moduleTensors(name)
    for tensor in stored.values where !wanted.contains(where: { $0.source == tensor.name }) {
      throw .badInput(
        "\(tensor.file.path): tensor \(tensor.name) is not one that config.json describes")
    }
    for (own, source, shape) in wanted {
      guard let tensor = stored[source] else {
        throw .badInput("\(folder.root)/\(name): tensor \(source) is missing")
      }
      guard tensor.shape == shape else {
        throw .badInput(
          "\(tensor.file.path): tensor \(source) has shape \(tensor.shape); config.json describes "
            + "\(shape)")
      }
      tensors.append(
        ModelSource.Tensor(
          rows: RowSource(
            name: "modules.\(modules.count).\(own)",
            tensor.reshaped(columns: shape.count == 1 ? 1 : shape[1])),
          role: shape.count == 1 ? .vector : .head, shape: shape))
    }
    if width == nil { self.inputs = inputs }
    modules.append(kind)
    width = outputs
  }

  private static func size(
    _ key: String, in json: JSON, _ path: String
  ) throws(VDSQError) -> Int {
    guard let size = json[key]?.integer, size >= 1, size <= 65536 else {
      throw .badInput("\(path): \(key) is not in 1...65536")
    }
    return size
  }

  /// The activation function of a linear module; that of sentence-transformers is tanh.
  private static func activation(
    _ config: JSON, _ path: String
  ) throws(VDSQError) -> DenseActivation {
    guard let named = config["activation_function"] else { return .tanh }
    let parts = named.text?.split(separator: ".") ?? []
    // Others are code of the model's own.
    guard parts.first == "torch", let name = parts.last, let known = activations[String(name)]
    else {
      throw .badInput(
        "\(path): activation_function \(named.brief) is not supported; supported: those of "
          + "torch.nn named \(activations.keys.sorted().joined(separator: ", "))")
    }
    return known
  }

  private static let activations: [String: DenseActivation] = [
    "Identity": .identity, "Tanh": .tanh, "ReLU": .relu, "GELU": .gelu, "SiLU": .silu,
    "Sigmoid": .sigmoid,
  ]

  // MARK: Configurations of modules

  /// - Throws: `badInput` if the module precedes pooling, `missingInput` if it has no file.
  private func configurationBehindPooling(
    of module: JSON, _ type: String
  ) throws(VDSQError) -> (JSON, path: String) {
    guard hasPooling else {
      throw .badInput(
        "\(folder.root)/modules.json: module \(type) is supported behind Pooling only")
    }
    return try configuration(of: module)
  }

  /// The `config.json` of a module, and its path.
  ///
  /// - Throws: `missingInput` if it has none.
  private func configuration(of module: JSON) throws(VDSQError) -> (JSON, path: String) {
    guard let found = try optionalConfiguration(of: module) else {
      throw VDSQError(
        .missingInput,
        "\(folder.root)/\(module["path"]?.text ?? "1_Pooling")/config.json: no such file")
    }
    return found
  }

  private func optionalConfiguration(
    of module: JSON
  ) throws(VDSQError) -> (JSON, path: String)? {
    let isPooling = module["type"]?.text?.hasSuffix("Pooling") ?? false
    guard let folderName = module["path"]?.text ?? (isPooling ? "1_Pooling" : nil) else {
      return nil
    }
    let name = "\(folderName)/config.json"
    guard !name.hasPrefix("/"), !name.contains("..") else {
      throw .badInput("\(folder.root)/modules.json: the path \(name) leaves the folder")
    }
    guard let config = try folder.moduleJSON(name) else { return nil }
    return (config, "\(folder.root)/\(name)")
  }

  // MARK: Pooling

  private static let modes: [(legacy: String, name: String, pooling: Pooling)] = [
    ("pooling_mode_cls_token", "cls", .cls), ("pooling_mode_max_tokens", "max", .max),
    ("pooling_mode_mean_tokens", "mean", .mean),
    ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", .meanSquareRoot),
    ("pooling_mode_weightedmean_tokens", "weightedmean", .weightedMean),
    ("pooling_mode_lasttoken", "lasttoken", .lastToken),
  ]

  /// The poolings of a module. `pooling_mode` precedes the older keys of each mode, whose vectors
  /// follow one another in the order of sentence-transformers.
  private static func poolings(_ config: JSON, _ path: String) throws(VDSQError) -> [Pooling] {
    var chosen: [String] = []
    if let mode = config["pooling_mode"], !mode.isNull {
      for name in mode.elements ?? [mode] { chosen.append(name.text ?? name.brief) }
    } else {
      for mode in modes where try config.flag(mode.legacy, path) ?? false {
        chosen.append(mode.name)
      }
      if chosen.isEmpty { chosen = ["mean"] }
    }
    let poolings = chosen.compactMap { name in
      modes.first { name == $0.name || name == $0.pooling.name }?.pooling
    }
    guard poolings.count == chosen.count, !poolings.isEmpty else {
      throw .badInput(
        "\(path): pooling_mode \(chosen.joined(separator: " + ")) is not supported; supported: "
          + modes.map(\.name).joined(separator: ", "))
    }
    guard poolings.count <= Pooling.most else {
      throw .badInput(
        "\(path): pooling_mode has \(poolings.count) modes; at most \(Pooling.most) are supported")
    }
    return poolings
  }
}

extension JSON {
  /// A member that is true or false; nil if it is missing or null.
  func flag(_ key: String, _ path: String) throws(VDSQError) -> Bool? {
    guard let value = self[key], !value.isNull else { return nil }
    guard let flag = value.boolean else {
      throw .badInput("\(path): \(key) is neither true nor false")
    }
    return flag
  }
}
