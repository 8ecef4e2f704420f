import VDSQCheckpoints
public import VDSQFormat

/// A checkpoint folder to a .vdsq file, tensor by tensor, in row blocks of bounded size.
public struct Converter {
  /// How linear layers and the word table are stored.
  public enum Weights: String, Sendable, CaseIterable {
    case int8, fp16
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
  private let source: EncoderSource
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
    source = try EncoderSource(folder)
    self.weights = weights
  }

  /// Bytes that the conversion will read, for showing progress.
  public var totalBytes: Int {
    folder.weightBytes * 2 + (weights == .int8 ? source.vocabularySize * source.hiddenSize * 4 : 0)
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
    ).section(vocabularySize: source.vocabularySize, lowercases: source.sentence.lowercases)
    var embeddings: [(TensorRule, RowSource)] = []
    for rule in source.map.embeddings { embeddings.append((rule, try source.rows(rule))) }
    var layers: [[(TensorRule, RowSource)]] = []
    for layer in 0..<source.layers {
      var rows: [(TensorRule, RowSource)] = []
      for rule in source.map.layer { rows.append((rule, try source.rows(rule, layer: layer))) }
      layers.append(rows)
    }
    let writer = try ContainerWriter(
      path: path, kind: .model, sectionCount: (weights == .int8 ? 6 : 5) + source.layers,
      replace: replace)
    try writer.add(.metadata, "metadata", source.metadata.encoded())
    try writer.add(.tokenizer, "tokenizer", tokenizer)
    try writer.add(
      .provenance, "provenance",
      try Provenance.json(folder, weights: weights.rawValue, progress: progress))
    try writer.begin(.weights, "embeddings")
    for (rule, rows) in embeddings { try write(rule, rows, to: writer, progress) }
    if source.map.keys.tokenTypes == nil { try writeZeroTokenTypes(to: writer) }
    try writer.end()
    if weights == .int8 {
      // The first rule is the word table's.
      try writer.begin(.weights, "vocabulary")
      try writer.writeVocabulary(embeddings[0].1, coarse: coarse)
      try writer.end()
      progress.advance(embeddings[0].1.parts.reduce(0) { $0 + $1.byteCount })
    }
    for (index, layer) in layers.enumerated() {
      try writer.begin(.weights, "layer.\(index)")
      for (rule, rows) in layer { try write(rule, rows, to: writer, progress) }
      try writer.end()
    }
    let used = Set((embeddings + layers.joined()).flatMap { $0.1.parts.map(\.name) })
    return Summary(
      checkpointBytes: folder.weightBytes, fileBytes: try writer.finish(),
      tensors: writer.tensorRecords,
      unused: folder.tensors.keys.filter { !used.contains($0) }.sorted())
  }

  private func write(
    _ rule: TensorRule, _ rows: RowSource, to writer: ContainerWriter, _ progress: Progress
  ) throws(VDSQError) {
    switch (rule.role, weights) {
    case (.wordTable, .int8): try writer.writeInt8Rows(rows)
    case (.wordTable, .fp16), (.positionTable, _): try writer.writeHalfRows(rows)
    case (.linear, .int8): try writer.writeInt8Panels(rows)
    case (.linear, .fp16): try writer.writeHalfPanels(rows)
    case (.vector, _):
      let shape =
        rule.shape.count == 1 ? [rows.rows * rows.columns] : [rows.rows, rows.columns]
      try writer.writeFloats(rows, shape: shape)
    }
    progress.advance(rows.parts.reduce(0) { $0 + $1.byteCount })
  }

  /// DistilBERT has no token types; the runtime's sum has one, which adds nothing.
  private func writeZeroTokenTypes(to writer: ContainerWriter) throws(VDSQError) {
    let bytes = [UInt8](repeating: 0, count: source.hiddenSize * 4)
    let offset = try bytes.withBytes { (raw) throws(VDSQError) in try writer.part(raw) }
    writer.add(
      TensorRecord(
        name: "embeddings.token_type", element: .float32, order: .rowMajor,
        shape: [1, source.hiddenSize], section: writer.sectionIndex, dataOffset: offset,
        dataLength: bytes.count, scalesOffset: 0, rowSumsOffset: 0,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }
}
