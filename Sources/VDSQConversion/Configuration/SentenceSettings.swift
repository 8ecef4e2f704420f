import VDSQCheckpoints
import VDSQFormat

/// What a sentence-transformers folder says about texts and their vectors: pooling, normalization,
/// length, lower-casing and prompt.
///
/// A folder without `modules.json` has mean pooling, as in sentence-transformers.
struct SentenceSettings {
  private(set) var pooling = Pooling.mean
  private(set) var normalize = false
  /// The longest sequence; nil if no file limits it.
  private(set) var maximumTokens: Int?
  private(set) var lowercases = false
  /// The default prompt, which precedes every text; empty if there is none.
  private(set) var prompt = ""
  /// Whether the folder declares a sentence encoder.
  private(set) var isSentenceModel = false
  /// Whether the folder declares a cross-encoder, which answers a pair of texts with a score.
  private(set) var isCrossEncoder = false
  /// The name of the function that a cross-encoder applies to its logit; nil if it names none.
  private(set) var activation: JSON?
  /// Whether the modules have a pooling.
  private(set) var hasPooling = false
  /// Unknown keys, as warnings.
  private(set) var warnings: [String] = []
  private var includesPrompt = true
  private let folder: Checkpoint

  /// - Throws: `badInput` if the folder uses an unsupported module, pooling or setting.
  init(_ folder: Checkpoint) throws(VDSQError) {
    self.folder = folder
    let modules = try folder.moduleJSON("modules.json")
    try readKind()
    isSentenceModel = isCrossEncoder ? false : modules != nil
    try readTransformer()
    if isCrossEncoder {
      for module in modules?.elements ?? [] { try checkOfCrossEncoder(module) }
      try readPrompt()
      return
    }
    guard let modules else {
      try checkType()
      return
    }
    for module in modules.elements ?? [] { try read(module: module) }
    try readPrompt()
    guard prompt.isEmpty || includesPrompt || pooling == .lastToken else {
      throw .badInput(
        "\(folder.root): include_prompt is false, but there is a default prompt; pooling without the "
          + "prompt's tokens is not supported")
    }
  }

  private mutating func check(
    _ json: JSON, _ keys: SettingKeys, _ path: String
  ) throws(VDSQError) {
    for key in try keys.check(json, path: path) {
      warnings.append("\(path): \(key) is not known, and not followed")
    }
  }

  /// Reads whether the folder is that of a cross-encoder, and its function. Older folders have them
  /// in `config.json`.
  private mutating func readKind() throws(VDSQError) {
    let settings = try folder.moduleJSON("config_sentence_transformers.json")
    let own = folder.config["sentence_transformers"]
    activation = own?["activation_fn"] ?? folder.config["sbert_ce_default_activation_function"]
    guard settings?["model_type"]?.text == "CrossEncoder" else { return }
    isCrossEncoder = true
    activation = settings?["activation_fn"] ?? activation
  }

  private func checkOfCrossEncoder(_ module: JSON) throws(VDSQError) {
    let type = module["type"]?.text ?? ""
    guard type.hasPrefix("sentence_transformers."), type.hasSuffix(".Transformer") else {
      throw .badInput(
        "\(folder.root)/modules.json: module \(type) of a cross-encoder is not supported; "
          + "supported: Transformer")
    }
  }

  /// Checks what kind of model a folder without modules says that it is. sentence-transformers does
  /// not read the other keys of the file then.
  private func checkType() throws(VDSQError) {
    let name = "config_sentence_transformers.json"
    if let type = try folder.moduleJSON(name)?["model_type"], !type.isNull {
      let kind = SettingKeys.sentenceTransformers.key("model_type")
      guard kind?.allows(type) ?? true else {
        throw .badInput(
          "\(folder.root)/\(name): model_type \(type.brief) is not supported; "
            + (kind?.supported ?? ""))
      }
    }
  }

  // MARK: Modules

  private mutating func read(module: JSON) throws(VDSQError) {
    let path = "\(folder.root)/modules.json"
    try check(module, .module, path)
    let type = module["type"]?.text ?? ""
    guard !type.contains(".") || type.hasPrefix("sentence_transformers.") else {
      throw .badInput("\(path): module \(type) is code of the model's own, which is not run")
    }
    switch type.split(separator: ".").last.map(String.init) ?? "" {
    // Dropout is for training.
    case "Transformer", "Dropout": return
    case "Normalize":
      if let (config, path) = try configuration(of: module) { try check(config, .normalize, path) }
      // Without a vector there is nothing to normalize.
      normalize = hasPooling
    case "Pooling":
      guard !hasPooling else { throw .badInput("\(path): there are two poolings") }
      guard let (config, file) = try configuration(of: module) else {
        throw VDSQError(
          .missingInput,
          "\(folder.root)/\(module["path"]?.text ?? "1_Pooling")/config.json: no such file")
      }
      try check(config, .pooling, file)
      pooling = try Self.pooling(config, file)
      includesPrompt = try Self.flag("include_prompt", in: config, file) ?? true
      hasPooling = true
    default:
      throw .badInput(
        "\(path): module \(type) is not supported; supported: Transformer, Pooling, Normalize, "
          + "Dropout")
    }
  }

  /// The `config.json` of a module, and its path; nil if there is none.
  private func configuration(of module: JSON) throws(VDSQError) -> (JSON, path: String)? {
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

  private static let modes: [(legacy: String, name: String, pooling: Pooling)] = [
    ("pooling_mode_cls_token", "cls", .cls), ("pooling_mode_max_tokens", "max", .max),
    ("pooling_mode_mean_tokens", "mean", .mean),
    ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", .meanSquareRoot),
    ("pooling_mode_weightedmean_tokens", "weightedmean", .weightedMean),
    ("pooling_mode_lasttoken", "lasttoken", .lastToken),
  ]

  /// The pooling of a module. `pooling_mode` precedes the older keys of each mode.
  private static func pooling(_ config: JSON, _ path: String) throws(VDSQError) -> Pooling {
    var chosen: [String] = []
    if let mode = config["pooling_mode"], !mode.isNull {
      for name in mode.elements ?? [mode] { chosen.append(name.text ?? name.brief) }
    } else {
      for mode in modes where try flag(mode.legacy, in: config, path) ?? false {
        chosen.append(mode.name)
      }
      if chosen.isEmpty { chosen = ["mean"] }
    }
    guard chosen.count == 1,
      let mode = modes.first(where: { $0.name == chosen[0] || $0.pooling.name == chosen[0] })
    else {
      throw .badInput(
        "\(path): pooling_mode \(chosen.joined(separator: " + ")) is not supported; supported: one "
          + "of " + modes.map(\.name).joined(separator: ", "))
    }
    return mode.pooling
  }

  private static func flag(
    _ key: String, in json: JSON, _ path: String
  ) throws(VDSQError) -> Bool? {
    guard let value = json[key], !value.isNull else { return nil }
    guard let flag = value.boolean else {
      throw .badInput("\(path): \(key) is neither true nor false")
    }
    return flag
  }

  // MARK: Transformer

  private mutating func readTransformer() throws(VDSQError) {
    var longest: JSON?
    var place = "\(folder.path)/tokenizer_config.json: model_max_length"
    for name in Checkpoint.transformerSettings {
      guard let json = try folder.optionalJSON(name), json.members?.isEmpty != true else {
        continue
      }
      let path = "\(folder.path)/\(name)"
      try check(json, .transformer, path)
      let wanted = isCrossEncoder ? "sequence-classification" : "feature-extraction"
      if let task = json["transformer_task"]?.text, task != wanted {
        throw .badInput("\(path): transformer_task \(task) is not supported; supported: \(wanted)")
      }
      try checkModalities(json["modality_config"], path)
      lowercases = try Self.flag("do_lower_case", in: json, path) ?? false
      // The tokenizer's own argument precedes the transformer's.
      if let own = try arguments(of: json, path), !own.isNull {
        (longest, place) = (own, "\(path): model_max_length")
      } else if let own = json["max_seq_length"], !own.isNull {
        (longest, place) = (own, "\(path): max_seq_length")
      }
      break
    }
    if longest == nil {
      longest = try folder.optionalJSON("tokenizer_config.json")?["model_max_length"]
    }
    guard let longest, !longest.isNull else { return }
    guard let wanted = longest.double else { throw .badInput("\(place) is no number") }
    guard wanted >= 2 else {
      throw .badInput("\(place) \(longest.brief) leaves no room for a text")
    }
    maximumTokens = Int(min(wanted, 0x1p40))
  }

  /// Arguments of the transformer's parts that change no vector.
  private static let harmlessArguments = [
    "trust_remote_code", "torch_dtype", "dtype", "attn_implementation", "device_map", "use_fast",
    "add_pooling_layer", "use_safetensors", "revision", "cache_dir", "token", "local_files_only",
    "padding_side", "use_cache", "low_cpu_mem_usage",
  ]

  /// Checks arguments that are kept for the model, the tokenizer and the configuration. Where there
  /// are arguments under an old and a new name, the old name's count.
  ///
  /// - Returns: the tokenizer's `model_max_length`.
  private func arguments(of json: JSON, _ path: String) throws(VDSQError) -> JSON? {
    var longest: JSON?
    for key in [
      "model_args", "model_kwargs", "processor_kwargs", "tokenizer_args", "config_args",
      "config_kwargs",
    ] {
      for member in json[key]?.members ?? [] {
        if member.key == "model_max_length", key == "tokenizer_args" || key == "processor_kwargs" {
          longest = member.value
        } else if !Self.harmlessArguments.contains(member.key) {
          throw .badInput("\(path): \(key): \(member.key) is not supported; it must be absent")
        }
      }
    }
    return longest
  }

  /// Texts must go through the forward pass to the last layer's states, and not through a chat
  /// template.
  private func checkModalities(_ modalities: JSON?, _ path: String) throws(VDSQError) {
    guard let modalities, !modalities.isNull else { return }
    guard modalities["message"] == nil, let text = modalities["text"],
      text["method"]?.text == "forward",
      text["method_output_name"]?.text == (isCrossEncoder ? "logits" : "last_hidden_state")
    else {
      throw .badInput(
        "\(path): modality_config \(modalities.brief) is not supported; supported: text by forward "
          + "to last_hidden_state")
    }
  }

  // MARK: Prompt

  private mutating func readPrompt() throws(VDSQError) {
    let name = "config_sentence_transformers.json"
    guard let json = try folder.moduleJSON(name) else { return }
    let path = "\(folder.root)/\(name)"
    try check(json, .sentenceTransformers, path)
    guard let chosen = json["default_prompt_name"], !chosen.isNull else { return }
    guard let key = chosen.text else { throw .badInput("\(path): default_prompt_name is no text") }
    let value = json["prompts"]?[key]
    // These two prompts exist without being named, and are empty.
    if value == nil || value!.isNull, key == "query" || key == "document" { return }
    guard let text = value?.text else {
      throw .badInput("\(path): default_prompt_name \(key) is not in prompts")
    }
    prompt = text
  }
}
