import VDSQCheckpoints
public import VDSQFormat

/// A checkpoint folder to a .vdsq file, tensor by tensor, in row blocks of bounded size.
public struct Converter {
  /// How linear layers and the word table are stored.
  public enum Weights: String, Sendable, CaseIterable {
    case int8, fp16, fp32
  }

  /// What a conversion did.
  public struct Summary: Sendable {
    public let checkpointBytes: Int
    public let fileBytes: Int
    public let tensors: [TensorRecord]
    /// Checkpoint tensors that the runtime has no use for, sorted.
    public let unused: [String]
  }

  private let folder: ModelFolder
  private let source: ModelSource
  private let weights: Weights
  private let coarse: Bool

  /// Reads and checks the folder's configuration, tokenizer and tensor headers.
  ///
  /// - Parameter coarse: whether to store the vocabulary's rows in two bits too, for approximate
  ///   search; int8 only.
  /// - Throws: `missingInput` or `badInput`, naming the file or tensor.
  public init(folder path: String, weights: Weights, coarse: Bool = false) throws(VDSQError) {
    guard !coarse || weights == .int8 else {
      throw .usage("--coarse goes with --weights int8: candidates are looked at again in int8 rows")
    }
    self.coarse = coarse
    folder = try ModelFolder(path: path)
    source = try ModelSource.read(folder)
    self.weights = weights
  }

  /// Bytes that the conversion will read, for showing progress.
  public var totalBytes: Int {
    let vocabulary = weights == .int8 ? source.embeddings[0].rows.byteCount : 0
    return folder.weightBytes * 2 + vocabulary
  }

  /// Writes the file.
  ///
  /// - Throws: `usage` where the file cannot be written, `badInput` where a tensor is missing, of
  ///   another shape than the configuration says, or not finite.
  public func write(
    to path: String, replace: Bool, progress: Progress
  ) throws(VDSQError) -> Summary {
    let tokenizer = try TokenizerConversion(
      folder.tokenizer, path: "\(folder.path)/tokenizer.json"
    ).section(vocabularySize: source.vocabularySize, lowercases: source.lowercases)
    let hasHead = !source.head.isEmpty
    let sections = 5 + source.layers.count + (weights == .int8 ? 1 : 0) + (hasHead ? 1 : 0)
    let writer = try ContainerWriter(
      path: path, kind: .model, sectionCount: sections, replace: replace)
    try writer.add(.metadata, "metadata", source.metadata.encoded())
    try writer.add(.tokenizer, "tokenizer", tokenizer)
    try writer.add(
      .provenance, "provenance",
      try Provenance.json(folder, weights: weights.rawValue, progress: progress))
    try writer.begin(.weights, "embeddings")
    for tensor in source.embeddings { try write(tensor, to: writer, progress) }
    for constant in source.constants { try writer.writeConstant(constant) }
    try writer.end()
    if weights == .int8 {
      try writer.begin(.weights, "vocabulary")
      try writer.writeVocabulary(source.embeddings[0].rows, coarse: coarse)
      try writer.end()
      progress.advance(source.embeddings[0].rows.byteCount)
    }
    for (index, layer) in source.layers.enumerated() {
      try writer.begin(.weights, "layer.\(index)")
      for tensor in layer { try write(tensor, to: writer, progress) }
      try writer.end()
    }
    if hasHead {
      try writer.begin(.weights, "head")
      for tensor in source.head { try write(tensor, to: writer, progress) }
      try writer.end()
    }
    let used = source.used
    return Summary(
      checkpointBytes: folder.weightBytes, fileBytes: try writer.finish(),
      tensors: writer.tensorRecords,
      unused: folder.tensors.keys.filter { !used.contains($0) }.sorted())
  }

  private func write(
    _ tensor: ModelSource.Tensor, to writer: ContainerWriter, _ progress: Progress
  ) throws(VDSQError) {
    switch (tensor.role, weights) {
    case (.vector, _): try writer.writeFloats(tensor.rows, shape: tensor.shape)
    case (.wordTable, .int8): try writer.writeInt8Rows(tensor.rows)
    case (.wordTable, _), (.positionTable, _):
      try writer.writeFloatRows(tensor.rows, half: weights != .fp32)
    case (.linear, .int8): try writer.writeInt8Panels(tensor.rows)
    case (.linear, _): try writer.writeFloatPanels(tensor.rows, half: weights == .fp16)
    }
    progress.advance(tensor.rows.byteCount)
  }
}
