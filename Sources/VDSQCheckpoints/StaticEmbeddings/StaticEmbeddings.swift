import VDSQFormat

/// A model of static embeddings: a table with a row for each token, whose mean is the vector of a
/// text.
///
/// It is a folder of model2vec, of sentence-transformers' StaticEmbedding, or a file of WordLlama's
/// package. The three differ in what they do with a text before its rows are looked up.
struct StaticEmbeddings {
  /// Whose model this is.
  enum Kind: Sendable {
    /// Unknown tokens are dropped, and texts are cut at a number of characters and of tokens.
    case model2vec
    /// All tokens count.
    case sentenceTransformers
    case wordLlama

    /// The `model_type` of the configuration; `model2vec` has it in its own.
    var modelType: String {
      switch self {
      case .model2vec: "model2vec"
      case .sentenceTransformers: "static-embedding"
      case .wordLlama: "wordllama"
      }
    }
  }

  let kind: Kind
  /// The folder with `modules.json`, or `model`.
  let root: String
  /// The folder of the table and the tokenizer.
  let model: String
  /// The name of the file of the table in `model`.
  let weights: String
  /// The name of the tokenizer's file, relative to `model`.
  var tokenizer = "tokenizer.json"
  /// The name of the configuration's file in `model`; nil if there is none.
  private(set) var configuration: String?

  /// - Returns: nil if the path is no such model.
  /// - Throws: `badInput` if `modules.json` or `config.json` is malformed.
  init?(_ path: String) throws(VDSQError) {
    if let file = Self.wordLlama(path) {
      (kind, model, weights, tokenizer) = (.wordLlama, file.folder, file.name, file.tokenizer)
      root = "\(file.folder)/.."
      return
    }
    guard !path.hasSuffix(".safetensors") else { return nil }
    var path = try ModelFolder.snapshot(path) ?? path
    // The folder of the module itself.
    let (parent, name) = ModelFolder.split(path)
    if !name.isEmpty, try Self.module(of: parent) == name { path = parent }
    var place = path
    let own = try Self.module(of: path)
    if let own, !own.isEmpty { place = "\(path)/\(own)" }
    let isDeclared = own != nil
    let config = "\(place)/config.json"
    var type: String?
    if InputFile.isPresent(config) {
      type = try JSON(parsing: try InputFile.contents(of: config), context: config)["model_type"]?
        .text
    }
    guard isDeclared || type == "model2vec" else { return nil }
    (root, model) = (path, place)
    weights = "model.safetensors"
    kind = type == "model2vec" ? .model2vec : .sentenceTransformers
    if type == "model2vec" { configuration = "config.json" }
  }

  /// The folder of the first module of a sentence-transformers model if it is a StaticEmbedding,
  /// empty for the model's own folder; nil for other models.
  private static func module(of folder: String) throws(VDSQError) -> String? {
    let path = "\(folder)/modules.json"
    guard InputFile.isPresent(path) else { return nil }
    let modules = try JSON(parsing: try InputFile.contents(of: path), context: path)
    guard let first = modules.elements?.first,
      first["type"]?.text?.split(separator: ".").last == "StaticEmbedding"
    else { return nil }
    let name = first["path"]?.text ?? ""
    guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
      throw .badInput("\(path): the path \(name) leaves the folder")
    }
    return name == "." ? "" : name.hasSuffix("/") ? String(name.dropLast()) : name
  }

  /// A file `weights/NAME_SIZE.safetensors` of WordLlama, whose tokenizer is in
  /// `tokenizers/NAME_tokenizer_config.json` beside that folder.
  private static func wordLlama(
    _ path: String
  ) -> (folder: String, name: String, tokenizer: String)? {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 2, let name = parts.popLast(), name.hasSuffix(".safetensors"),
      parts.last == "weights", let end = name.lastIndex(of: "_")
    else { return nil }
    let tokenizer = "../tokenizers/\(name[..<end])_tokenizer_config.json"
    let folder = parts.joined(separator: "/")
    return InputFile.isPresent("\(folder)/\(tokenizer)") ? (folder, name, tokenizer) : nil
  }

  /// The configuration with what the tokenizer and the table tell.
  ///
  /// - Throws: `missingInput` or `badInput`.
  func config(_ table: SourceTensor, _ tokenizer: JSON) throws(VDSQError) -> JSON {
    var config = JSON.object([])
    if let configuration {
      let path = "\(model)/\(configuration)"
      config = try JSON(parsing: try InputFile.contents(of: path), context: path)
    }
    var members = (config.members ?? []).map { ($0.key, $0.value) }
    func set(_ key: String, _ value: JSON?) {
      members.removeAll { $0.0 == key }
      if let value { members.append((key, value)) }
    }
    set("model_type", .string(kind.modelType))
    set("table_rows", .integer(table.rows))
    set("table_columns", .integer(table.columns))
    switch kind {
    case .model2vec:
      let words = TokenizerWords(tokenizer)
      set("median_token_length", .integer(words.medianLength))
      set("dropped_token", words.unknown.map(JSON.integer))
    case .sentenceTransformers:
      if let limit = tokenizer["truncation"]?["max_length"], !limit.isNull {
        set("max_length", limit)
      }
      if tokenizer["truncation"]?["direction"]?.text == "Left" {
        throw .badInput(
          "\(model)/\(self.tokenizer): truncation direction Left is not supported; use Right")
      }
    case .wordLlama: break
    }
    return JSON(members: members.map { (key: $0.0, value: $0.1) })
  }

  /// The table with a row for each token.
  ///
  /// - Throws: `missingInput` or `badInput` if there is none, or it is not supported.
  func table() throws(VDSQError) -> (table: SourceTensor, bytes: Int) {
    let path = "\(model)/\(weights)"
    let file = try Safetensors(path: path)
    func tensor(_ name: String) -> SourceTensor? { file.tensors[name] ?? file.unscaled[name] }
    let names = ["embeddings", "embedding.weight"]
    guard let name = names.first(where: { tensor($0) != nil }), var table = tensor(name) else {
      let found = (file.tensors.keys + file.omitted.map { "\($0.key) of type \($0.value)" })
        .sorted()
      throw .badInput(
        "\(path): no tensor \(names.joined(separator: " or ")) of f64, f32, f16, bf16 or int8; "
          + "it has "
          + found.prefix(4).joined(separator: ", "))
    }
    let known = [name, "weights", "mapping"]
    for other in (Array(file.tensors.keys) + file.omitted.keys + file.unscaled.keys).sorted()
    where !known.contains(other) {
      throw .badInput("\(path): tensor \(other) is not part of static embeddings")
    }
    guard table.shape.count == 2, table.rows > 0, table.columns > 0 else {
      throw .badInput("\(path): tensor \(name) of shape \(table.shape) is no table")
    }
    // model2vec computes with integers as they are.
    if table.type == .int8, table.scales == nil {
      table.rowScales = SourceTensor.RowScales(factors: [1], zeroPoints: [])
    }
    if file.tensors["mapping"] != nil || file.omitted["mapping"] != nil {
      guard let mapping = try file.integers("mapping"), !mapping.isEmpty,
        mapping.allSatisfy({ (0..<table.rows).contains($0) })
      else { throw .badInput("\(path): tensor mapping is no list of rows of \(name)") }
      table = table.listed(mapping.map { Int32($0) })
    }
    if let weights = tensor("weights") {
      guard weights.count == table.rows, weights.type != .int8 else {
        throw .badInput(
          "\(path): tensor weights of \(weights.count) elements has not one for each of "
            + "\(table.rows) tokens")
      }
      let factors = try weights.reshaped(columns: 1).read(rows: 0..<weights.count)
      table.rowScales = SourceTensor.RowScales(factors: factors, zeroPoints: [])
    }
    return (table, file.file.length)
  }
}
