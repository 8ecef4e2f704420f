import Glibc
import VDSQFormat

/// The folders of a model: that of a sentence-transformers model, and that of its transformer.
///
/// They are the same unless `modules.json` has another path for the transformer, as folders of
/// sentence-transformers before 2.0 do (`0_Transformer`).
struct ModelFolder {
  /// The folder with `modules.json`, or `model` if there is none.
  let root: String
  /// The folder with the configuration, the tokenizer and the weights.
  let model: String

  /// - Parameter given: a model's folder, the folder of its transformer, or its folder in a cache
  ///   of Hugging Face's hub.
  /// - Throws: `missingInput` or `badInput`, naming what the folder is instead.
  init(_ given: String) throws(VDSQError) {
    let folder = try Self.snapshot(given) ?? given
    if let transformer = try Self.transformer(of: folder) {
      root = folder
      model = transformer.isEmpty ? folder : "\(folder)/\(transformer)"
      guard InputFile.isPresent("\(model)/config.json") else {
        throw VDSQError(
          .missingInput,
          "\(folder)/modules.json: the transformer is in \"\(transformer)\", where no config.json is"
        )
      }
      try Self.checkAdapter(model)
      return
    }
    model = folder
    let (parent, name) = Self.split(folder)
    let transformer = name.isEmpty ? nil : try Self.transformer(of: parent)
    root = transformer == name ? parent : folder
    guard InputFile.isPresent("\(folder)/config.json") else { throw Self.noModel(folder) }
    try Self.checkAdapter(folder)
  }

  /// The names that sentence-transformers has given to the settings of a transformer.
  static let transformerSettings = [
    "sentence_bert_config.json", "sentence_roberta_config.json",
    "sentence_distilbert_config.json", "sentence_camembert_config.json",
    "sentence_albert_config.json", "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
  ]

  /// The files of settings beside `config.json` and `tokenizer.json` that are there. Their names
  /// are relative to the folder of the model.
  ///
  /// - Throws: `badInput` if `modules.json` is malformed.
  func settings() throws(VDSQError) -> [String] {
    let own =
      [
        "tokenizer_config.json", "added_tokens.json", "special_tokens_map.json",
        "generation_config.json", "chat_template.jinja", "chat_template.json",
      ]
      + Self.transformerSettings
    return own.filter { InputFile.exists("\(model)/\($0)") }
      + (try Self.moduleFiles(root: root, model: model))
  }

  /// The files of the modules of a sentence-transformers model, and of its prompts. Their names are
  /// relative to the folder of the model.
  ///
  /// - Throws: `badInput` if `modules.json` is malformed.
  static func moduleFiles(root: String, model: String) throws(VDSQError) -> [String] {
    var others = ["modules.json", "config_sentence_transformers.json"]
    let modules = "\(root)/modules.json"
    if InputFile.exists(modules) {
      let json = try JSON(parsing: try InputFile.contents(of: modules), context: modules)
      for module in json.elements ?? [] {
        let isPooling = module["type"]?.text?.hasSuffix("Pooling") ?? false
        guard let path = module["path"]?.text ?? (isPooling ? "1_Pooling" : nil), !path.isEmpty,
          !path.hasPrefix("/"), !path.contains("..")
        else { continue }
        others.append("\(path)/config.json")
        let isTransformer =
          ["Transformer", "StaticEmbedding"].contains(
            module["type"]?.text?.split(separator: ".").last.map(String.init))
        if !isTransformer { others += Checkpoint.moduleWeights.map { "\(path)/\($0)" } }
      }
    }
    let above = root == model ? "" : "../"
    return Set(others).filter {
      InputFile.exists("\(root)/\($0)") && "\(root)/\($0)" != "\(model)/config.json"
    }.map { above + $0 }
  }

  private static func checkAdapter(_ folder: String) throws(VDSQError) {
    guard InputFile.isPresent("\(folder)/adapter_config.json") else { return }
    throw .badInput(
      "\(folder)/adapter_config.json: the folder has an adapter of PEFT beside the model; merge it "
        + "first (merge_and_unload), or remove it")
  }

  /// The path of the transformer in a sentence-transformers folder, empty for the folder itself;
  /// nil if this is no such folder.
  private static func transformer(of folder: String) throws(VDSQError) -> String? {
    let path = "\(folder)/modules.json"
    guard InputFile.isPresent(path) else { return nil }
    let modules = try JSON(parsing: try InputFile.contents(of: path), context: path)
    guard
      let first = modules.elements?.first(where: { (module: JSON) -> Bool in
        module["type"]?.text?.split(separator: ".").last == "Transformer"
      })
    else { return "" }
    let name = first["path"]?.text ?? ""
    guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
      throw .badInput("\(path): the path \(name) leaves the folder")
    }
    return name.hasSuffix("/") ? String(name.dropLast()) : name
  }

  /// The snapshot of a folder `models--OWNER--NAME` in the cache of Hugging Face's hub: that of the
  /// branch `main`, or the only one. Nil if this is no such folder.
  static func snapshot(_ folder: String) throws(VDSQError) -> String? {
    guard !InputFile.isPresent("\(folder)/config.json"),
      let snapshots = entries(of: "\(folder)/snapshots")
    else { return nil }
    if let reference = try? InputFile.contents(of: "\(folder)/refs/main", limit: 256) {
      let name = String(decoding: reference, as: UTF8.self).filter { !$0.isWhitespace }
      if snapshots.contains(name) { return "\(folder)/snapshots/\(name)" }
    }
    guard snapshots.count == 1 else {
      throw .badInput(
        "\(folder): this is a model in the cache of Hugging Face's hub; give one of its "
          + "\(snapshots.count) folders in snapshots/")
    }
    return "\(folder)/snapshots/\(snapshots[0])"
  }

  /// What a folder without `config.json` is.
  private static func noModel(_ folder: String) -> VDSQError {
    let known =
      "give a Hugging Face model's folder or a file of weights in one, a GGUF file, or llama2.c's "
      + ".bin"
    let names = entries(of: folder) ?? []
    func named(_ suffix: String) -> String? { names.first { $0.hasSuffix(suffix) } }
    if names.contains("adapter_config.json") {
      return .badInput(
        "\(folder): this is an adapter of PEFT without its model; merge the two first "
          + "(merge_and_unload)")
    }
    let what =
      if let file = named(".gguf") {
        "; it has \(file), which can be converted by itself"
      } else if let file = named(".vdsq") {
        "; it has \(file), which is converted already"
      } else if names.contains("blobs") || names.contains("snapshots") {
        "; give the folder of a snapshot in the cache of Hugging Face's hub"
      } else if let model = names.first(where: { $0.hasPrefix("models--") }) {
        "; this is the cache of Hugging Face's hub: give one of its models, such as \(model)"
      } else { "; \(known)" }
    return VDSQError(.missingInput, "\(folder): no config.json\(what)")
  }

  /// The names in a folder, sorted, without hidden ones; nil if it is none.
  static func entries(of folder: String) -> [String]? {
    guard let stream = opendir(folder) else { return nil }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// The folder above, and the name in it; an empty name for `/`.
  static func split(_ folder: String) -> (parent: String, name: String) {
    var parts = folder.split(separator: "/", omittingEmptySubsequences: false)
    guard let name = parts.popLast(), !name.isEmpty, name != ".", name != ".." else {
      guard let real = realpath(folder, nil) else { return (folder, "") }
      defer { free(real) }
      let path = String(cString: real)
      return path == "/" ? (path, "") : split(path)
    }
    return (parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/"), String(name))
  }
}
