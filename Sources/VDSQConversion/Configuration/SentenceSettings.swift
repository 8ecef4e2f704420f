import VDSQCheckpoints
import VDSQFormat

/// What a sentence-transformers folder says about texts and their vectors: modules, length,
/// lower-casing and prompts.
///
/// A folder without `modules.json` has mean pooling, as in sentence-transformers.
struct SentenceSettings {
  /// How states become vectors; nil if the folder has no `modules.json`.
  private(set) var modules: SentenceModules?
  /// The longest sequence; nil if no file limits it.
  private(set) var maximumTokens: Int?
  private(set) var lowercases = false
  /// Texts that precede every text.
  private(set) var prompts = Prompts()
  /// Whether the folder declares a cross-encoder, which answers a pair of texts with a score.
  private(set) var isCrossEncoder = false
  /// The name of the function that a cross-encoder applies to its logit; nil if it names none.
  private(set) var activation: JSON?
  /// Unknown keys, as warnings.
  private(set) var warnings: [String] = []
  private let folder: Checkpoint

  /// Whether the folder declares a sentence encoder.
  var isSentenceModel: Bool { modules != nil }

  /// Whether the modules have a pooling.
  var hasPooling: Bool { modules?.hasPooling ?? false }

  /// - Throws: `badInput` if the folder uses an unsupported module, pooling or setting.
  init(_ folder: Checkpoint) throws(VDSQError) {
    self.folder = folder
    let list = try folder.moduleJSON("modules.json")
    try readKind()
    try readTransformer()
    if isCrossEncoder {
      for module in list?.elements ?? [] { try checkOfCrossEncoder(module) }
      try readPrompts()
      return
    }
    guard let list else {
      try checkType()
      return
    }
    let modules = try SentenceModules(list, folder)
    warnings += modules.warnings
    self.modules = modules
    try readPrompts()
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
      lowercases = try json.flag("do_lower_case", path) ?? false
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

  // MARK: Prompts

  private mutating func readPrompts() throws(VDSQError) {
    let name = "config_sentence_transformers.json"
    guard let json = try folder.moduleJSON(name) else { return }
    let path = "\(folder.root)/\(name)"
    try check(json, .sentenceTransformers, path)
    for member in json["prompts"]?.members ?? [] {
      guard let text = member.value.text else {
        if member.value.isNull { continue }
        throw .badInput("\(path): prompts: \(member.key) is no text")
      }
      prompts.all.append((member.key, text))
    }
    guard let chosen = json["default_prompt_name"], !chosen.isNull else { return }
    guard let key = chosen.text else { throw .badInput("\(path): default_prompt_name is no text") }
    let value = json["prompts"]?[key]
    // These two prompts exist without being named, and are empty.
    if value == nil || value!.isNull, key == "query" || key == "document" { return }
    guard let text = value?.text else {
      throw .badInput("\(path): default_prompt_name \(key) is not in prompts")
    }
    prompts.standard = text
  }
}
