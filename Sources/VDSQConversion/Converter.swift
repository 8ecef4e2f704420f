import Synchronization
import VDSQCheckpoints
import VDSQFiles
public import VDSQFormat
import VDSQInference

/// Converts a checkpoint to a .vdsq file, tensor by tensor, in blocks of rows of bounded size.
public struct Converter {
  /// The type of linear layers and word embeddings.
  public enum Weights: String, Sendable, CaseIterable {
    /// Integers with a scale per row, half precision, or single precision.
    case int8, fp16, fp32
    /// Integers of four bits in groups of columns, for linear layers and the word embeddings of
    /// models without an LM head; other tables have eight.
    case int4

    /// The type of tables of rows that are compared with states.
    var ofTables: Weights { self == .int4 ? .int8 : self }
  }

  /// The options of a conversion.
  public struct Options: Sendable {
    /// The type of linear layers and word embeddings that no rule of `keep` matches.
    public var weights = Weights.int8
    /// Rules for tensors of another type. If several rules match, the last one counts.
    public var keep: [WeightRule] = []
    /// The columns of a group, 32 or 64, whose factor is stored in int8 linear layers that gain
    /// from it, and in four-bit ones; nil for a single scale per row, and 32 with four bits.
    public var groups: Int?
    /// The columns of a group of four-bit weights.
    var fourBitGroups: Int { groups ?? 32 }
    /// How columns of activations are scaled before they are rounded.
    public var smoothing = Smoothing.automatic
    /// How weights of four bits are rounded.
    public var rounding = RoundingMethod.gptq
    /// Whether sections are stored in LZ4 blocks if that saves enough.
    public var compress = false
    /// Whether to also store the vocabulary's rows with two bits per dimension, for approximate
    /// search; int8 only.
    public var coarse = false
    /// The number of threads. The file does not depend on it.
    public var threads = 2
    /// The limit of the process's peak memory in bytes; nil for no limit.
    public var budget: Int?
    /// Whether a head that the model was finetuned with may be left out, so that an encoder is
    /// made of a classifier.
    public var dropsHead = false
    /// Tensors of the checkpoint that may be left out although the model would compute something
    /// else with them: patterns of their names, in which `*` stands for anything.
    public var ignored: [String] = []
    /// The options of vocabulary bases, if the model has an LM head; nil for no bases.
    public var bases: BasesOptions? = BasesOptions()

    /// Creates options with defaults for the others: two threads, no memory limit, no compression.
    public init(weights: Weights = .int8, coarse: Bool = false) {
      self.weights = weights
      self.coarse = coarse
    }
  }

  /// The result of a conversion.
  public struct Summary: Sendable {
    /// The size of the checkpoint's weight files in bytes.
    public let checkpointBytes: Int
    /// The size of the written file in bytes.
    public let fileBytes: Int
    /// The tensors of the written file.
    package let tensors: [TensorRecord]
    /// The sections of the written file.
    package let sections: [Section]
    /// The names of checkpoint tensors that the runtime does not use, sorted.
    public var unused: [String] { leftOut.map(\.name) }
    /// The tensors that the runtime does not use, sorted by name.
    package let leftOut: [LeftOutTensor]
    /// The properties of the LM head; nil if there is none.
    public let bases: BasesReport?
    /// The labels of the head that the model was trained with; nil if there is none.
    package let headLabels: [String]?
  }

  /// What a person should know about the checkpoint, one line each: settings that are not known, a
  /// head that is left out.
  public let warnings: [String]
  private let folder: Checkpoint
  private let source: ModelSource
  private let options: Options
  private let budget: ConversionBudget
  private let tokenizer: [UInt8]
  private let basesWork: BasesWork?
  private let smoothing: LayerSmoothing
  /// Whether weights of four bits make up for each other's errors.
  private let corrects: Bool

  /// How vocabulary bases are made.
  private enum BasesWork {
    /// From the head alone, before the weights are written.
    case solved(BasesSolver)
    /// From what the model does with the calibration text, after them.
    case balanced(HeadMatrix, BasesPlan, BasesOptions)
  }

  /// Reads and checks the folder's configuration, tokenizer and tensor headers.
  ///
  /// - Throws: `missingInput` or `badInput`, naming the file or tensor; `budgetTooSmall`, naming
  ///   the smallest sufficient budget.
  public init(folder path: String, options: Options) throws(VDSQError) {
    self.options = options
    budget = ConversionBudget(options.budget)
    try budget.check(folder: path)
    folder = try Checkpoint(path: path)
    var source = try ModelSource.read(
      folder, dropsHead: options.dropsHead, ignoring: options.ignored)
    try budget.check()
    guard !options.coarse || source.vocabulary == nil else {
      throw .usage("for models without an LM head: bases have no coarse rows", .coarseRows)
    }
    guard !options.coarse || options.storage("embeddings.word").ofTables == .int8 else {
      throw .usage("needs an int8 word table, in which candidates are compared again", .coarseRows)
    }
    try Self.check(options, source)
    let (section, warnings, pairFrame, trimsOffsets, language) = try source.tokenizerSection()
    pairFrame?.store(in: &source.metadata)
    language?.store(in: &source.metadata)
    if let trimsOffsets {
      source.metadata.set("trim_offsets", .integer(trimsOffsets ? 1 : 0))
    }
    self.source = source
    tokenizer = section
    try budget.check()
    let architecture = try Architecture(source.metadata)
    smoothing = LayerSmoothing(
      architecture, options.smoothing, groups: options.fourBitGroups
    ) { options.storage($0) }
    let hasFourBits = source.layers.joined().contains {
      options.storage($0, of: source) == .int4
    }
    let room = try budget.left(beside: RoundingInputs.bytes(architecture))
    let hasRoom = room.map { $0 > 1 } ?? true
    corrects =
      options.rounding == .gptq && hasFourBits && hasRoom && RoundingInputs.support(architecture)
    let nearest =
      options.rounding == .gptq && hasFourBits && !corrects
      ? [
        "weights of four bits are rounded to the nearest: "
          + (hasRoom ? "layers share them" : "the memory budget has no room for GPTQ")
      ] : []
    self.warnings = source.warnings + warnings + nearest
    if var bases = options.bases, source.vocabulary != nil {
      bases.portable = true
      bases.budget = try budget.left(beside: tokenizer.count)
      let head = try HeadMatrix(source, embedding: bases.method == .embedding)
      basesWork =
        bases.method == .balanced
        ? .balanced(
          head,
          try BasesPlan(rows: head.rows, columns: head.columns, matrices: 2, options: bases), bases)
        : .solved(try BasesSolver(head, options: bases))
    } else {
      basesWork = nil
    }
  }

  /// - Throws: `usage` if a rule matches no tensor.
  private static func check(_ options: Options, _ source: ModelSource) throws(VDSQError) {
    let rules = options.keep
    let tensors = source.tensors.filter { $0.role != .vector }
    let names = tensors.map(\.rows.name) + ["bases"]
    let tables = tensors.filter { $0.role != .linear && options.storage($0, of: source) != .int4 }
    for table in tables.map(\.rows.name) + ["bases"] {
      guard let rule = rules.last(where: { $0.matches(table) }), rule.weights == .int4 else {
        continue
      }
      throw .usage(
        "\(rule.text): \(table) cannot have four bits; linear layers can, and word embeddings of a "
          + "model without an LM head and coarse rows", .keptTensors)
    }
    for rule in rules where !names.contains(where: rule.matches) {
      let roots = Set(names.map { $0.split(separator: ".").first.map(String.init) ?? $0 }).sorted()
      throw .usage(
        "\(rule.text): no weights of such a name; names begin with "
          + roots.joined(separator: ", "), .keptTensors)
    }
  }

  /// Reads and checks a checkpoint, with default options except the type of weights.
  ///
  /// - Throws: `missingInput` or `badInput`, naming the file or tensor.
  public init(folder path: String, weights: Weights) throws(VDSQError) {
    try self.init(folder: path, options: Options(weights: weights))
  }

  /// The number of bytes that the conversion will read, for progress.
  public var totalBytes: Int {
    var extra = storesVocabulary ? source.embeddings[0].rows.byteCount : 0
    switch basesWork {
    case .solved(let solver):
      extra += solver.passes * solver.head.rows * solver.head.columns * 4
    case .balanced(let head, _, _):
      extra += (BalancedBases.passes + 1) * head.rows * head.columns * 4
    case nil: break
    }
    if smoothing.isWanted { extra += layerBytes }
    if corrects { extra += layerBytes }
    return folder.weightBytes + extra
  }

  private var layerBytes: Int { source.layers.joined().reduce(0) { $0 + $1.rows.byteCount } }

  /// Whether the word embeddings are the vocabulary bases, because there is no LM head.
  private var storesVocabulary: Bool {
    source.vocabulary == nil && options.storage(source.embeddings[0], of: source) == .int8
  }

  /// Writes the file.
  ///
  /// - Throws: `usage` if the file cannot be written; `badInput` if a tensor is missing, not
  ///   finite, or of another shape than the configuration says.
  public func write(
    to path: String, replace: Bool, progress: Progress
  ) throws(VDSQError) -> Summary {
    // Balanced bases are made of the head's rows, and share their type.
    let isBalanced = if case .balanced = basesWork { true } else { false }
    let basesWeights = options.storage(isBalanced ? headName : "bases").ofTables
    let hasHead = !source.head.isEmpty
    let sections =
      5 + source.layers.count + [hasHead, storesVocabulary].count { $0 }
      + (basesWork == nil ? 0 : ContainerWriter.basesSections(basesWeights))
    let writer = try ContainerWriter(
      path: path, kind: .model, sectionCount: sections, replace: replace,
      usesThread: options.threads > 1, compresses: options.compress)
    // Checksums of the checkpoint's files take as long as reading the files again, so they run on a
    // separate thread.
    let work = ConversionWork(
      convert: { () throws(VDSQError) in
        try writeWeights(to: writer, path, basesWeights, progress)
      },
      hash: { (isWanted) throws(VDSQError) in
        let provenance = try Provenance(folder, options: options, isWanted: isWanted)
        return Array((provenance?.json ?? "").utf8)
      })
    let (bases, provenance) = try work.result(threads: options.threads)
    try writer.add(.provenance, "provenance", provenance)
    try budget.check()
    let fileBytes = try writer.finish()
    return Summary(
      checkpointBytes: folder.weightBytes, fileBytes: fileBytes, tensors: writer.tensorRecords,
      sections: writer.sectionTable, leftOut: source.leftOut, bases: bases,
      headLabels: try OutputHead(source.metadata)?.labels)
  }

  /// Writes all sections but the provenance and the directory.
  private func writeWeights(
    to writer: ContainerWriter, _ path: String, _ basesWeights: Weights, _ progress: Progress
  ) throws(VDSQError) -> BasesReport? {
    var metadata = source.metadata
    var bases: BasesReport?
    if case .solved(let solver) = basesWork {
      let rowBytes = solver.head.columns * 4
      bases = try writer.writeBases(
        solver, weights: basesWeights, progress: { progress.advance($0 * rowBytes) },
        begin: { metadata.set(bases: $0, options: solver.options) })
    }
    try writer.add(.tokenizer, "tokenizer", tokenizer)
    try writer.begin(.weights, "embeddings")
    for tensor in source.embeddings { try write(tensor, to: writer, progress) }
    for constant in source.constants { try writer.writeConstant(constant) }
    try writer.end()
    if storesVocabulary {
      try writer.begin(.weights, "vocabulary")
      try writer.writeVocabulary(source.embeddings[0].rows, coarse: options.coarse)
      try writer.end()
      progress.advance(source.embeddings[0].rows.byteCount)
    }
    var layers = source.layers
    if smoothing.isWanted {
      let report = try smooth(&layers, to: writer, metadata.encoded(), progress)
      metadata.set(smoothing: options.smoothing, report)
    }
    if corrects {
      metadata.set("rounding_method", .text(RoundingMethod.gptq.rawValue))
      try writeCorrected(layers, to: writer, beside: path, metadata.encoded(), progress)
    } else {
      try write(layers, to: writer, progress)
    }
    if !source.head.isEmpty {
      try writer.begin(.weights, "head")
      for tensor in source.head { try write(tensor, to: writer, progress) }
      try writer.end()
    }
    if case .balanced(let head, let plan, let options) = basesWork {
      bases = try writeBalanced(
        head, plan, options, to: writer, basesWeights, metadata.encoded(), progress)
      metadata.set(bases: bases!, options: options)
    }
    try writer.add(.metadata, "metadata", metadata.encoded())
    return bases
  }

  private func write(
    _ layers: [[ModelSource.Tensor]], to writer: ContainerWriter, _ progress: Progress,
    _ feedback: (_ tensor: RowSource, _ layer: Int) throws(VDSQError) -> RoundingFeedback? = {
      (_, _) in nil
    }
  ) throws(VDSQError) {
    for (index, layer) in layers.enumerated() {
      try writer.begin(.weights, "layer.\(index)")
      for tensor in layer {
        let hasFourBits = options.storage(tensor, of: source) == .int4
        try write(
          tensor, to: writer, progress,
          feedback: hasFourBits ? try feedback(tensor.rows, index) : nil)
      }
      try writer.end()
    }
  }

  /// Writes the layers. Weights of four bits make up for each other's errors, by the inputs that a
  /// draft of the model has for the calibration text. The draft has int8 layers, and is a file
  /// without a name beside the output.
  private func writeCorrected(
    _ layers: [[ModelSource.Tensor]], to writer: ContainerWriter, beside path: String,
    _ metadata: [UInt8], _ progress: Progress
  ) throws(VDSQError) {
    let draft = try ContainerWriter(
      path: path, kind: .model, sectionCount: 6 + layers.count, replace: true)
    let silent = Progress(total: 1) { _ in }
    try draft.add(.tokenizer, "tokenizer", tokenizer)
    try draft.begin(.weights, "embeddings")
    for tensor in source.embeddings { try write(tensor, to: draft, silent) }
    for constant in source.constants { try draft.writeConstant(constant) }
    try draft.end()
    for (index, layer) in layers.enumerated() {
      try draft.begin(.weights, "layer.\(index)")
      for tensor in layer {
        if tensor.role == .linear {
          try draft.writeInt8Panels(tensor.rows, groups: nil)
          progress.advance(tensor.rows.byteCount)
        } else {
          try write(tensor, to: draft, silent)
        }
      }
      try draft.end()
    }
    try writeHeadWithoutRows(to: draft)
    let architecture = try Architecture(source.metadata)
    try draft.withDraft(metadata) { (draft) throws(VDSQError) in
      let inputs = try RoundingInputs(
        draft: draft, architecture, groups: options.fourBitGroups,
        streams: options.budget != nil)
      try write(layers, to: writer, progress) { (rows, layer) throws(VDSQError) in
        try inputs.feedback(
          for: rows, named: String(rows.name.dropFirst("layer.\(layer).".count)), layer: layer)
      }
    }
  }

  /// Writes what a pass needs of the head: the last norm, and the transformation of a masked head.
  private func writeHeadWithoutRows(to writer: ContainerWriter) throws(VDSQError) {
    let rest = source.head.filter { $0.role != .wordTable }
    guard !rest.isEmpty else { return }
    try writer.begin(.weights, "head")
    let silent = Progress(total: 1) { _ in }
    for tensor in rest { try write(tensor, to: writer, silent) }
    try writer.end()
  }

  /// Writes a draft of the model, scales the tensors of its layers by what it does with the
  /// calibration text, and removes the draft.
  private func smooth(
    _ layers: inout [[ModelSource.Tensor]], to writer: ContainerWriter, _ metadata: [UInt8],
    _ progress: Progress
  ) throws(VDSQError) -> SmoothingReport {
    let place = writer.place
    try write(layers, to: writer, progress)
    try writeHeadWithoutRows(to: writer)
    let report = try writer.withDraft(metadata) { (path) throws(VDSQError) in
      try smoothing.scale(
        &layers, draft: path, threads: options.budget == nil ? options.threads : 1,
        streams: options.budget != nil)
    }
    if options.budget != nil { ProcessMemory.trim() }
    try writer.cut(to: place)
    try budget.check()
    return report
  }

  /// The name of the LM head's rows, which may be the word embeddings.
  private var headName: String {
    source.head.contains { $0.rows.name == "head.weight" } ? "head.weight" : "embeddings.word"
  }

  /// Runs the model as it was written so far, and writes balanced bases.
  private func writeBalanced(
    _ head: HeadMatrix, _ plan: BasesPlan, _ bases: BasesOptions, to writer: ContainerWriter,
    _ weights: Weights, _ metadata: [UInt8], _ progress: Progress
  ) throws(VDSQError) -> BasesReport {
    let observation = try writer.withDraft(metadata) { (path) throws(VDSQError) in
      try ModelObservation(of: path, threads: 1, streams: options.budget != nil)
    }
    let rowBytes = head.columns * 4
    let balanced = try BalancedBases(
      head, observation: observation,
      algebra: try LinearAlgebra(threads: bases.threads, portable: bases.portable),
      tileRows: plan.tileRows, progress: { progress.advance($0 * rowBytes) })
    try writer.writeBalancedBases(
      balanced, head: head, weights: weights, tileRows: plan.tileRows,
      progress: { progress.advance($0 * rowBytes) })
    var report = BasesReport()
    (report.rows, report.columns) = (head.rows, head.columns)
    report.temperature = balanced.temperature
    return report
  }

  /// Whether a rule says how a tensor is stored.
  private func isKept(_ name: String) -> Bool { options.keep.contains { $0.matches(name) } }

  private func write(
    _ tensor: ModelSource.Tensor, to writer: ContainerWriter, _ progress: Progress,
    feedback: RoundingFeedback? = nil
  ) throws(VDSQError) {
    let weights = options.storage(tensor, of: source)
    switch (tensor.role, weights) {
    case (.vector, _): try writer.writeFloats(tensor.rows, shape: tensor.shape)
    case (.wordTable, .int8): try writer.writeInt8Rows(tensor.rows)
    case (.wordTable, .int4):
      try writer.writeInt4Rows(tensor.rows, groups: options.fourBitGroups)
    case (.wordTable, _), (.positionTable, _):
      try writer.writeFloatRows(tensor.rows, half: weights != .fp32)
    case (.head, .int8) where !isKept(tensor.rows.name):
      try writer.writeFloatPanels(tensor.rows, half: true)
    case (.linear, .int4):
      try writer.writeInt4Panels(
        tensor.rows, groups: options.fourBitGroups, feedback: feedback)
    case (.linear, .int8), (.head, .int8):
      let groups = try options.groups.flatMap { (length) throws(VDSQError) in
        try tensor.rows.gainsFromGroups(of: length) ? length : nil
      }
      try writer.writeInt8Panels(tensor.rows, groups: groups)
    case (.linear, _), (.head, _): try writer.writeFloatPanels(tensor.rows, half: weights == .fp16)
    }
    try budget.check()
    progress.advance(tensor.rows.byteCount)
  }
}

/// A conversion and the checksums of its sources: on two threads if the system provides them,
/// otherwise one after the other.
private final class ConversionWork: SharedWork {
  private let convert: () throws(VDSQError) -> BasesReport?
  private let hash: (_ isWanted: () -> Bool) throws(VDSQError) -> [UInt8]
  /// A failed conversion need not wait for checksums.
  private let hasFailed = Atomic(false)
  private var bases: Result<BasesReport?, VDSQError>?
  private var provenance: Result<[UInt8], VDSQError>?

  init(
    convert: @escaping () throws(VDSQError) -> BasesReport?,
    hash: @escaping (_ isWanted: () -> Bool) throws(VDSQError) -> [UInt8]
  ) {
    self.convert = convert
    self.hash = hash
    super.init()
  }

  override func run(_ worker: ThreadPool.Worker) {
    if worker.index == 0 {
      bases = Result(catching: convert)
      if case .failure = bases { hasFailed.store(true, ordering: .relaxed) }
    }
    guard worker.index == worker.count - 1 else { return }
    provenance = Result { () throws(VDSQError) in
      try hash { !hasFailed.load(ordering: .relaxed) }
    }
  }

  func result(threads: Int) throws(VDSQError) -> (BasesReport?, [UInt8]) {
    ThreadPool(count: min(threads, 2)).together(2, self)
    return (try bases!.get(), try provenance!.get())
  }
}
