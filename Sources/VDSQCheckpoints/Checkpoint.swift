package import VDSQFormat

/// A checkpoint in Hugging Face's terms: configuration, tokenizer and weights.
///
/// It is a folder with weights in safetensors, PyTorch's format or ONNX, a GGUF file, or a file of
/// llama2.c.
package struct Checkpoint {
  /// The folder of the configuration, the tokenizer and the weights, or the single file.
  package let path: String
  /// The folder with `modules.json` of a sentence-transformers model; `path` for other models.
  package let root: String
  /// The model's `config.json`, or its equivalent built from the metadata of a single file.
  package let config: JSON
  /// Every weight by its name.
  package let tensors: [String: SourceTensor]
  /// The types of tensors that hold no weights, by the names of the tensors.
  package let omitted: [String: String]
  /// The names of all files that a conversion reads, sorted; relative to `path`.
  package let files: [String]
  /// The size of the weight files in bytes.
  package let weightBytes: Int
  /// What the operations of an ONNX file compute; nil for other files.
  package private(set) var graph: EncoderGraph?
  /// The name of the tokenizer's file, relative to `path`.
  private var tokenizerName = "tokenizer.json"
  /// Nil for a folder.
  private let single: (any ModelFile)?

  /// Opens a checkpoint.
  ///
  /// - Parameters:
  ///   - gguf: the architectures of GGUF files that are supported.
  ///   - llama2C: the names of llama2.c's tensors.
  ///   - encoders: the encoders that are read from ONNX files.
  /// - Throws: `missingInput` if the folder or one of its files does not exist, `badInput` if one
  ///   is malformed.
  package init(
    path: String, gguf: [GGUFArchitecture], llama2C: Llama2CNames, encoders: [EncoderNames]
  ) throws(VDSQError) {
    let given = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard InputFile.isPresent(given) else {
      throw VDSQError(.missingInput, "\(given): no such file or folder")
    }
    // A weight file in a folder means the weights of that file and everything else of the folder.
    let chosen = Self.weightFile(given)
    let path = chosen?.folder ?? given
    if let model = try Self.single(path, gguf, llama2C) {
      self.path = path
      root = path
      single = model
      config = model.config
      tensors = model.tensors
      omitted = [:]
      var bytes = 0
      for path in model.paths { bytes += try InputFile(path: path).length }
      weightBytes = bytes
      files = model.paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
      return
    }
    single = nil
    // Its one file of weights has the name that all have.
    let isNamed = chosen == nil || chosen?.name == "model.safetensors"
    if isNamed, let model = try StaticEmbeddings(chosen?.folder ?? given) {
      (self.path, root, tokenizerName) = (model.model, model.root, model.tokenizer)
      let (table, bytes) = try model.table()
      config = try model.config(table, try Self.json("\(model.model)/\(model.tokenizer)"))
      tensors = ["embeddings": table.named("embeddings")]
      omitted = [:]
      weightBytes = bytes
      files =
        ([model.weights, model.tokenizer, model.configuration].compactMap { $0 }
        + (try ModelFolder.moduleFiles(root: model.root, model: model.model))).sorted()
      return
    }
    let folder = try ModelFolder(path)
    let model = folder.model
    root = folder.root
    self.path = model
    config = try Self.json("\(model)/config.json")
    guard config.members != nil else {
      throw .badInput("\(model)/config.json: this is no JSON object")
    }
    let weightFiles = if let chosen { [chosen.name] } else { try Self.weightFiles(model) }
    var tensors: [String: SourceTensor] = [:]
    var omitted: [String: String] = [:]
    var bytes = 0
    var further: [String] = []
    if weightFiles.count == 1, weightFiles[0].hasSuffix(".onnx") {
      let onnx = try ONNXModel(path: "\(model)/\(weightFiles[0])")
      let type = config["model_type"]?.text ?? ""
      guard let names = encoders.first(where: { $0.modelTypes.contains(type) }) else {
        throw .badInput(
          "\(onnx.file.path): ONNX files of a model of type \(type.isEmpty ? "(none)" : type) are not "
            + "supported; supported: \(encoders.flatMap(\.modelTypes).joined(separator: ", "))")
      }
      let read = try EncoderGraph(onnx, names)
      graph = read
      tensors = read.tensors
      let place = weightFiles[0].split(separator: "/").dropLast().map { "\($0)/" }.joined()
      further = onnx.externalFiles.map { place + $0 }
      bytes = onnx.file.length
      for name in further { bytes += try InputFile(path: "\(model)/\(name)").length }
    }
    for name in weightFiles where !name.hasSuffix(".onnx") {
      let (file, own, others) = try Self.weights("\(model)/\(name)")
      omitted.merge(others) { first, _ in first }
      bytes += file.length
      for (name, tensor) in own {
        guard tensors.updateValue(tensor, forKey: name) == nil else {
          throw .badInput("\(model): tensor \(name) is in two files")
        }
      }
    }
    self.tensors = tensors
    self.omitted = omitted
    weightBytes = bytes
    files =
      (["config.json", "tokenizer.json"] + weightFiles + further
      + (chosen == nil ? Self.indices(model) : [])
      + (try folder.settings())).sorted()
  }

  /// The folder and the name of a weight file that is not a model by itself.
  private static func weightFile(_ path: String) -> (folder: String, name: String)? {
    guard [".safetensors", ".pt", ".pth", ".bin", ".onnx"].contains(where: path.hasSuffix),
      !Llama2C.isModel(path), !InputFile.exists("\(path)/config.json")
    else { return nil }
    var parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let name = String(parts.removeLast())
    let folder = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
    if InputFile.exists("\(folder)/config.json") { return (folder, name) }
    // Optimum and sentence-transformers have ONNX files in a folder of their own.
    guard path.hasSuffix(".onnx"), let last = parts.popLast(), last == "onnx" else { return nil }
    let above = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
    return InputFile.exists("\(above)/config.json") ? (above, "\(last)/\(name)") : nil
  }

  private static func single(
    _ path: String, _ gguf: [GGUFArchitecture], _ llama2C: Llama2CNames
  ) throws(VDSQError) -> (any ModelFile)? {
    // A folder has no signature.
    if let file = try? InputFile(path: path) {
      switch file.signature {
      case .torchPickle?, .pickle?, .hdf5?:
        throw .badInput("\(path): \(file.signature!.description)")
      default: break
      }
    } else if ModelFolder.entries(of: path) == nil {
      _ = try InputFile(path: path)
    }
    if GGUF.isGGUF(path) { return try GGUFModel(try GGUF.whole(path: path), gguf) }
    if Llama2C.isModel(path) || (path.hasSuffix(".bin") && !PyTorchArchive.isArchive(path)) {
      return try Llama2C(path: path, names: llama2C)
    }
    return nil
  }

  /// The names that sentence-transformers has given to the settings of a transformer.
  package static var transformerSettings: [String] { ModelFolder.transformerSettings }

  /// Whether the checkpoint is a folder, and no single file.
  package var isFolder: Bool { single == nil }

  /// The path of one of `files`.
  package func location(of file: String) -> String {
    guard let single else {
      return file.hasPrefix("../") ? "\(root)/\(file.dropFirst(3))" : "\(path)/\(file)"
    }
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
    guard let tokenizer = try optionalJSON(tokenizerName) else {
      throw VDSQError(
        .missingInput,
        "\(path): no tokenizer.json; save the tokenizer with transformers' fast tokenizer class")
    }
    return tokenizer
  }

  /// A JSON file of the model's folder, or nil if it does not exist.
  package func optionalJSON(_ name: String) throws(VDSQError) -> JSON? {
    try optionalJSON(name, in: path)
  }

  /// A JSON file of a sentence-transformers model beside its transformer, such as `modules.json`;
  /// nil if it does not exist.
  package func moduleJSON(_ name: String) throws(VDSQError) -> JSON? {
    try optionalJSON(name, in: root)
  }

  /// The names of a module's weights; the first one that is there counts.
  static let moduleWeights = ["model.safetensors", "pytorch_model.bin"]

  /// The weights of a module of a sentence-transformers model, by their names.
  ///
  /// - Parameter folder: the module's folder in `root`.
  /// - Throws: `missingInput` if it has none.
  package func moduleTensors(_ folder: String) throws(VDSQError) -> [String: SourceTensor] {
    if let single { return single.moduleTensors(folder) }
    for name in Self.moduleWeights where InputFile.isPresent("\(root)/\(folder)/\(name)") {
      return try Self.weights("\(root)/\(folder)/\(name)").1
    }
    throw VDSQError(
      .missingInput,
      "\(root)/\(folder): no weights: neither \(Self.moduleWeights.joined(separator: " nor "))")
  }

  private func optionalJSON(_ name: String, in folder: String) throws(VDSQError) -> JSON? {
    if let single { return try single.companion(name) }
    guard InputFile.isPresent("\(folder)/\(name)") else { return nil }
    return try Self.json("\(folder)/\(name)")
  }

  private static func json(_ path: String) throws(VDSQError) -> JSON {
    try JSON(parsing: try InputFile.contents(of: path), context: path)
  }

  private static func weights(
    _ path: String
  ) throws(VDSQError) -> (InputFile, [String: SourceTensor], omitted: [String: String]) {
    if path.hasSuffix(".safetensors") {
      let file = try Safetensors(path: path)
      return (file.file, file.tensors, file.omitted)
    }
    let file = try PyTorchArchive(path: path)
    return (file.file, file.tensors, [:])
  }

  /// The indices of weights in several files that are there.
  private static func indices(_ path: String) -> [String] {
    ["model.safetensors.index.json", "pytorch_model.bin.index.json"]
      .filter { InputFile.exists("\(path)/\($0)") }
  }

  /// The weights of a folder. Safetensors precede PyTorch's format, and one file precedes several.
  private static func weightFiles(_ path: String) throws(VDSQError) -> [String] {
    for (name, suffix) in [("model.safetensors", ".safetensors"), ("pytorch_model.bin", ".bin")] {
      if InputFile.isPresent("\(path)/\(name)") { return [name] }
      let indexPath = "\(path)/\(name).index.json"
      guard InputFile.isPresent(indexPath) else { continue }
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
    for name in ["model.onnx", "onnx/model.onnx"] where InputFile.isPresent("\(path)/\(name)") {
      return [name]
    }
    let others =
      ((ModelFolder.entries(of: path) ?? [])
      + (ModelFolder.entries(of: "\(path)/onnx") ?? []).map { "onnx/\($0)" }).filter { name in
        [".h5", ".msgpack", ".onnx", ".safetensors", ".bin", ".gguf"].contains {
          name.hasSuffix($0)
        }
      }
    let what = others.isEmpty ? "" : "; it has \(others.joined(separator: ", "))"
    throw VDSQError(
      .missingInput,
      "\(path): no weights: neither model.safetensors nor pytorch_model.bin, nor an index of either, "
        + "nor model.onnx"
        + what)
  }
}
