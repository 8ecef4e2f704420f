import VDSQCheckpoints
package import VDSQFormat

/// The metadata of a container, and its tensors with their sources in a checkpoint.
package struct ModelSource {
  /// A tensor, how it is stored, and its shape.
  struct Tensor {
    let rows: RowSource
    let role: TensorRole
    let shape: [Int]
  }

  /// A small tensor that is made at conversion.
  struct Constant {
    let name: String
    let shape: [Int]
    let values: [Float]
  }

  let folder: Checkpoint
  /// The architecture of the checkpoint.
  let names: CheckpointArchitecture
  private let kinds: TensorKinds
  package var metadata: Metadata
  let vocabularySize: Int
  var lowercases = false
  /// What the model's own head reads; nil if it has none.
  var headReading: OutputHead.Reading?
  var embeddings: [Tensor] = []
  var constants: [Constant] = []
  var layers: [[Tensor]] = []
  /// The tensors after the layers.
  var head: [Tensor] = []
  /// The rows of the LM head, from which vocabulary bases are computed; nil if there is no LM head.
  var vocabulary: RowSource?

  /// What a person should know about the checkpoint: unknown settings, a head that is left out.
  var warnings: [String] = []

  init(
    folder: Checkpoint, names: CheckpointArchitecture, kinds: TensorKinds, metadata: Metadata,
    vocabularySize: Int, lowercases: Bool
  ) {
    self.folder = folder
    self.names = names
    self.kinds = kinds
    self.metadata = metadata
    self.vocabularySize = vocabularySize
    self.lowercases = lowercases
  }

  /// The checkpoint's tensors that are not used, sorted by name.
  var leftOut: [LeftOutTensor] {
    let used = used
    return folder.tensors.values.map(\.name).filter { !used.contains($0) }.sorted()
      .map(kinds.leftOut)
  }

  /// All tensors, in the order of the container.
  var tensors: [Tensor] { embeddings + Array(layers.joined()) + head }

  /// The names of the checkpoint's tensors that are used, as its files have them.
  var used: Set<String> {
    Set(tensors.flatMap { $0.rows.parts.map(\.tensor.name) })
  }
}

extension ModelSource {
  /// The tokenizer section of the container.
  ///
  /// - Returns: the section, what a person should know about its settings, and what the model's
  ///   head needs: the template of pairs, whether ranges of tokens begin behind spaces, or how texts
  ///   and chats are written.
  /// - Throws: `missingInput` or `badInput` if the tokenizer or one of its settings is missing or
  ///   not supported.
  func tokenizerSection() throws(VDSQError) -> (
    section: [UInt8], warnings: [String], pairFrame: PairFrame?,
    trimsOffsets: Bool?, language: LanguageModelSettings?
  ) {
    let path = "\(folder.path)/tokenizer.json"
    guard try Architecture(metadata).framesTexts else {
      // Libraries of static embeddings read no other file.
      let section = try TokenizerConversion(try folder.tokenizer(), path: path).section(
        vocabularySize: vocabularySize, lowercases: false, framed: false)
      return (section, [], nil, nil, nil)
    }
    var settings = try TokenizerSettings(folder, names)
    let tokenizer = try settings.apply(to: try folder.tokenizer())
    let frame =
      headReading == .texts
      ? try PairFrame(tokenizer, hasTypes: try hasTokenTypes(), path: path) : nil
    let section = try TokenizerConversion(tokenizer, path: path).section(
      vocabularySize: vocabularySize, lowercases: lowercases)
    let trims = headReading == .tokens ? TokenizerConversion.trimsOffsets(tokenizer) : nil
    let language =
      try Architecture(metadata).pooling == .nextToken
      ? try LanguageModelSettings(folder, settings, tokenizer, vocabularySize: vocabularySize)
      : nil
    return (section, settings.warnings + (language?.warnings ?? []), frame, trims, language)
  }

  /// Whether transformers gives the model the token types of the tokenizer.
  private func hasTokenTypes() throws(VDSQError) -> Bool {
    guard try Architecture(metadata).tokenTypes > 1 else { return false }
    let inputs = try folder.optionalJSON("tokenizer_config.json")?["model_input_names"]?.elements
    return inputs?.contains { $0.text == "token_type_ids" } ?? names.tokenizersHaveTypes
  }
}
