public import VDSQFormat
package import VDSQInference
import VDSQKernels
public import VDSQSemantics
import VDSQTokenizers

/// Assigns labels to texts: by the head that the model was trained with, zero-shot by the meaning
/// of label words, or with an adapter that was trained on examples.
///
///     let model = try Model(path: "minilm.vdsq")
///     let classifier = try TextClassifier(
///       model: model, labels: [Label(name: "billing"), Label(name: "outage", words: ["server down"])])
///     for prediction in try classifier.classify(["I was charged twice."]) {
///       print(prediction.label, prediction.probability)
///     }
///
/// A classifier can be used from several threads. `RunOptions.concurrency` is the number of threads
/// that are served at a time. All share the model's map.
public final class TextClassifier: @unchecked Sendable {
  /// The options of a classifier.
  public struct Options: Sendable {
    /// How the model is run.
    public var run = RunOptions()
    /// A template around label words or around texts. Nil means that of the adapter, or the default
    /// templates around label words.
    public var template: Template?
    /// Texts without labels, of the kind that will be classified. What a language model says about
    /// them on average is subtracted from its scores. Without them, what it says without a text is.
    public var referenceTexts: [String] = []
    /// The vocabulary bases that a language model's states are compared with; nil for the rows of
    /// its LM head, as weights of label words.
    public var bases: BasesChoice?
    /// The softmax temperature, by which logits are divided. Nil means that of the adapter,
    /// `Classifier.defaultTemperature` for cosines, or 1 for a language model.
    public var temperature: Float?
    /// Whether labels are hypotheses for a model of natural language inference. `template` is then
    /// the sentence around a label's name; nil for "This example is {}.".
    public var usesEntailment = false
    /// With `usesEntailment`: whether each label is right or wrong by itself.
    public var isMultiLabel = false
    /// The number of labels of an answer that the caller writes; the memory plan counts them.
    package var top = 1
    /// Bytes that the caller needs besides; the memory plan counts them.
    package var more = 0
    /// Called with a line for a person when a file that was replaced cannot be used. The classifier
    /// goes on as before. Called on the thread that classifies.
    public var onWarning: (@Sendable (String) -> Void)?

    /// The default templates, and one thread.
    public init() {}
  }

  /// Where the classifier is from, if its file may be replaced.
  private struct Source {
    var file: FollowedFile
    /// The labels; nil if the file is an adapter.
    var labels: LabelSource?
  }

  private let pool: EncoderPool
  private let options: Options
  private let kernels: KernelTable
  private let model: Model
  private let lock = Lock()
  // Guarded by the lock.
  private var source: Source?
  private var current: Classifier
  private var currentAdapter: Adapter?
  private var revision = 0

  /// The maximum number of tokens of a text; longer texts are truncated.
  public let maximumTokens: Int

  /// Whether an adapter gives a text any number of labels.
  public var givesSeveralLabels: Bool { classifier.0.thresholds != nil }

  /// A classifier by the head that the model was trained with.
  ///
  ///     let classifier = try TextClassifier(model: try Model(path: "sst2.vdsq"))
  ///     print(try classifier.classify("A fine film.").label)  // POSITIVE
  ///
  /// - Throws: `usage` if the model has no such head, or for options out of range; `badInput` for a
  ///   model that cannot be run; `budgetTooSmall` if the memory budget does not suffice.
  public convenience init(model: Model, options: Options = Options()) throws(VDSQError) {
    guard options.referenceTexts.isEmpty else {
      throw .usage("for a language model's label words", .referenceTexts)
    }
    guard options.bases == nil else { throw .usage("for label words", .bases) }
    let labels = (try OutputHead(model.description.metadata)?.labels ?? []).map { Label(name: $0) }
    let pool = try EncoderPool(
      model, options.run, adapter: nil,
      more: ModelHead.bytes(model.description)
        + (try Self.bytes(of: labels, model, top: options.top, isFollowed: false)))
    try self.init(model, pool, options, adapter: nil, source: nil) {
      (encoder) throws(VDSQError) in
      try Classifier(
        modelHead: try ModelHead.ofTexts(encoder.container, kernels: encoder.kernels),
        template: options.template, temperature: options.temperature, kernels: encoder.kernels)
    }
  }

  /// A zero-shot classifier, which compares texts with label words.
  ///
  /// - Parameters:
  ///   - labels: at least two; their names are different.
  /// - Throws: `usage` for labels or options out of range; `badInput` for a model that cannot be
  ///   run or has no bases; `budgetTooSmall` if the memory budget does not suffice.
  public convenience init(
    model: Model, labels: [Label], options: Options = Options()
  ) throws(VDSQError) {
    try self.init(model, labels, source: nil, options)
  }

  /// A zero-shot classifier with labels of a file (`LabelFile`), which may be replaced while the
  /// classifier runs. The next texts are then classified with the new labels.
  ///
  /// - Throws: the errors of reading the file, and of the other initializers.
  public convenience init(
    model: Model, labelsFile path: String, options: Options = Options()
  ) throws(VDSQError) {
    var labels = LabelSource()
    labels.file = path
    try self.init(model: model, labels: labels, options: options)
  }

  /// A zero-shot classifier; the file of the labels may be replaced while it runs.
  ///
  /// - Throws: the errors of reading the labels, and of the other initializers.
  package convenience init(
    model: Model, labels: LabelSource, options: Options
  ) throws(VDSQError) {
    let source = labels.file.map { Source(file: FollowedFile(path: $0), labels: labels) }
    try self.init(model, try labels.readChoice(), source: source, options)
  }

  private convenience init(
    _ model: Model, _ labels: [Label], source: Source?, _ options: Options
  ) throws(VDSQError) {
    try Label.checkChoice(labels)
    let pool = try EncoderPool(
      model, options.run, adapter: nil,
      continuations: options.bases == nil
        ? try Self.continuations(of: labels, model) : TokenTree.Size(),
      more: (options.usesEntailment ? ModelHead.bytes(model.description) : 0)
        + (try Self.bytes(of: labels, model, top: options.top, isFollowed: source != nil)))
    try self.init(model, pool, options, adapter: nil, source: source) {
      (encoder) throws(VDSQError) in try Self.classifier(labels, encoder, options)
    }
  }

  /// How often labels are in memory while their file is read again: the previous ones, and the
  /// next.
  private static let copiesOfFollowed = 2

  /// The memory of labels and answers, in bytes.
  ///
  /// - Parameter isFollowed: whether the labels' file may be read again.
  package static func bytes(
    of labels: [Label], _ model: Model, top: Int, isFollowed: Bool
  ) throws(VDSQError) -> Int {
    let dimensions = try OutputModules.vectorSize(model.description)
    return (isFollowed ? copiesOfFollowed : 1)
      * LabelMemory.bytes(of: labels, dimensions: dimensions)
      + LabelMemory.answerBytes(of: labels, top: top)
  }

  /// What the model reads besides texts, so that label words of several tokens can be scored.
  package static func continuations(
    of labels: [Label], _ model: Model
  ) throws(VDSQError) -> TokenTree.Size {
    let file = model.description
    let kind: TextEncoder.Kind
    switch try Architecture(file.metadata).pooling {
    case .nextToken: kind = .causal
    case .mask: kind = .masked
    default: return TokenTree.Size()
    }
    let tokenizer = try Tokenizer(section: try file.bytes(of: .tokenizer), path: file.path)
    let words = try LabelWordsHead.tokens(of: labels, tokenizer.count, tokenizer)
    return LongWords(words, kind)?.size ?? TokenTree.Size()
  }

  private static func classifier(
    _ labels: [Label], _ encoder: TextEncoder, _ options: Options
  ) throws(VDSQError) -> Classifier {
    let head = try ModelHead(encoder.container, kernels: encoder.kernels)
    if options.usesEntailment {
      guard options.referenceTexts.isEmpty else {
        throw .usage("for a language model's label words", .referenceTexts)
      }
      guard options.bases == nil else { throw .usage("for label words", .bases) }
      let entailment = try Entailment(
        labels, head: try ModelHead.ofTexts(encoder.container, kernels: encoder.kernels),
        template: options.template, isMultiLabel: options.isMultiLabel,
        path: encoder.container.path)
      return try Classifier(
        labels: labels, entailment: entailment, dimensions: encoder.dimensions, template: nil,
        temperature: options.temperature, kernels: encoder.kernels)
    }
    if head != nil {
      options.onWarning?(
        "\(encoder.container.path): labels are compared with states that the model's own head reads; "
          + "no labels use that head, and a head of entailment takes labels as hypotheses")
    }
    // Steered label words would cancel a part of what steering does to texts.
    return try encoder.unsteered { () throws(VDSQError) in
      try Classifier(
        labels: try LabelSet(
          labels, encoder: encoder, template: options.template, bases: options.bases,
          reference: options.referenceTexts),
        temperature: options.temperature, kernels: encoder.kernels)
    }
  }

  /// A classifier with an adapter.
  ///
  /// - Throws: `badInput` if the adapter was made for another model; the errors of the other
  ///   initializer.
  public convenience init(
    model: Model, adapter: Adapter, options: Options = Options()
  ) throws(VDSQError) {
    guard adapter.modelIdentity == model.description.identity else {
      throw .badInput("\(model.path): the adapter was made for another model")
    }
    try self.init(model, adapter, copies: 1, source: nil, options)
  }

  /// A classifier with an adapter's file, which may be replaced while the classifier runs. The next
  /// texts are then classified with the new adapter. A file that cannot be used changes nothing: it
  /// is tried again, and `Options.onWarning` tells of it once.
  ///
  /// - Throws: `missingInput` or `badInput` for the adapter's file; the errors of the other
  ///   initializers.
  public convenience init(
    model: Model, adapterFile path: String, options: Options = Options()
  ) throws(VDSQError) {
    let source = Source(file: FollowedFile(path: path), labels: nil)
    let adapter = try Adapter(path: path, model: model.description)
    // While the file is read again, the previous adapter and the bytes of the file are in memory;
    // it may hold more than an adapter.
    var options = options
    options.more += Int(FileStamp(path: path)?.length ?? 0)
    try self.init(model, adapter, copies: Adapter.copiesOfFollowed, source: source, options)
  }

  private convenience init(
    _ model: Model, _ adapter: Adapter, copies: Int, source: Source?, _ options: Options
  ) throws(VDSQError) {
    let adapter = try adapter.using(options.template)
    let pool = try EncoderPool(
      model, options.run, adapter: adapter,
      more: options.more + copies * adapter.bytes
        + LabelMemory.answerBytes(
          of: adapter.labels.labels,
          top: adapter.thresholds == nil ? options.top : adapter.labels.count))
    try self.init(model, pool, options, adapter: adapter, source: source) {
      (encoder) throws(VDSQError) in
      try Classifier(adapter: adapter, temperature: options.temperature, kernels: encoder.kernels)
    }
  }

  private init(
    _ model: Model, _ pool: EncoderPool, _ options: Options, adapter: Adapter?, source: Source?,
    _ makeClassifier: (TextEncoder) throws(VDSQError) -> Classifier
  ) throws(VDSQError) {
    let encoder = try pool.take()
    self.pool = pool
    self.options = options
    self.model = model
    self.source = source
    (kernels, maximumTokens) = (encoder.kernels, encoder.maximumTokens)
    current = try makeClassifier(encoder)
    currentAdapter = adapter
    pool.give(encoder)
    pool.settle()
  }

  /// The names of the labels, in the order of `Prediction.Candidate.index`.
  public var labels: [String] { classifier.0.labels.names }

  /// The label of texts that belong to no other; nil if there is none.
  public var outOfScopeLabel: String? { classifier.0.labels.outOfScopeName }

  /// The current adapter; nil for a zero-shot classifier.
  public var adapter: Adapter? {
    lock.lock()
    defer { lock.unlock() }
    return currentAdapter
  }

  /// Classifies texts.
  ///
  /// - Parameters:
  ///   - texts: any number of texts. Texts longer than the longest sequence are truncated.
  ///   - top: the number of labels to return for each text, at least 1.
  /// - Returns: one prediction per text, in order.
  /// - Throws: `badInput` if the model's weights cannot be read.
  public func classify(_ texts: [String], top: Int = 1) throws(VDSQError) -> [Prediction] {
    let context = try makeContext()
    defer { context.end() }
    var predictions: [Prediction] = []
    predictions.reserveCapacity(texts.count)
    func flush() throws(VDSQError) {
      try context.classify(top: max(top, context.thresholds?.count ?? 0)) { count, labels, scores in
        predictions.append(Prediction(scores, labels, context.thresholds, top: top, count))
      }
    }
    for text in texts {
      if !context.hasRoom { try flush() }
      let bytes = Array(text.utf8)
      _ = try bytes.withBytes { (bytes) throws(VDSQError) in try context.add(bytes) }
    }
    try flush()
    return predictions
  }

  /// Classifies pairs of texts, such as a premise and a hypothesis, by the model's own head.
  ///
  /// - Parameters:
  ///   - pairs: pairs longer than the longest sequence are truncated, the longer text first.
  ///   - top: the number of labels to return for each pair, at least 1.
  /// - Returns: one prediction per pair, in order.
  /// - Throws: `usage` if the classifier does not read pairs; `badInput` if the model's weights
  ///   cannot be read.
  public func classify(
    pairs: [(first: String, second: String)], top: Int = 1
  ) throws(VDSQError) -> [Prediction] {
    let context = try makeContext()
    defer { context.end() }
    var predictions: [Prediction] = []
    func flush() throws(VDSQError) {
      try context.classify(top: max(top, context.thresholds?.count ?? 0)) { count, labels, scores in
        predictions.append(Prediction(scores, labels, context.thresholds, top: top, count))
      }
    }
    for pair in pairs {
      if !context.hasRoom { try flush() }
      let (first, second) = (Array(pair.first.utf8), Array(pair.second.utf8))
      try first.withBytes { (first) throws(VDSQError) in
        _ = try second.withBytes { (second) throws(VDSQError) in
          try context.add(first, second)
        }
      }
    }
    try flush()
    return predictions
  }

  /// Classifies one text.
  ///
  /// - Parameter top: the number of labels to return, at least 1.
  /// - Throws: `badInput` if the model's weights cannot be read.
  public func classify(_ text: String, top: Int = 1) throws(VDSQError) -> Prediction {
    try classify([text], top: top)[0]
  }

  /// Working memory for one caller, who ends it when done. Waits while `RunOptions.concurrency`
  /// callers have one.
  package func makeContext() throws(VDSQError) -> ClassificationContext {
    let encoder = try pool.take()
    do {
      return try ClassificationContext(encoder: encoder, owner: self)
    } catch {
      pool.give(encoder)
      throw error
    }
  }

  /// Calls `body` with an encoder for exclusive use and the current classifier.
  package func withEncoder(
    _ body: (TextEncoder, Classifier) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    let encoder = try pool.take()
    defer { pool.give(encoder) }
    try body(encoder, classifier.0)
  }

  func take(back encoder: TextEncoder) { pool.give(encoder) }

  /// The current classifier, and the number of times it was replaced.
  var classifier: (Classifier, revision: Int) {
    lock.lock()
    defer { lock.unlock() }
    return (current, revision)
  }

  /// Reads the file of the adapter or the labels again if it changed. A file that cannot be used
  /// changes nothing.
  ///
  /// - Parameter encoder: the caller's, with an empty batch.
  func follow(_ encoder: TextEncoder) {
    lock.lock()
    defer { lock.unlock() }
    guard source != nil, source!.file.isDue() else { return }
    do throws(VDSQError) {
      // A pipe would be waited for.
      guard source!.file.isRegular else {
        throw .badInput("\(source!.file.path): this is not a regular file")
      }
      try read(source!, encoder)
      source!.file.succeeded()
      revision += 1
    } catch {
      guard source!.file.failed(), let warn = options.onWarning else { return }
      warn("\(error.message); going on as before, and trying again")
    }
  }

  /// Refuses what does not fit the memory budget, of which the labels that were there first have a
  /// part.
  private func checkRoom(for bytes: Int, _ path: String) throws(VDSQError) {
    guard let budget = options.run.memoryBudget,
      let peak = ProcessMemory.peakResidentBytes()
    else { return }
    let now = currentAdapter?.bytes ?? LabelMemory.bytes(of: current.labels)
    guard peak + max(0, bytes - now) <= budget else {
      throw VDSQError(
        .budgetTooSmall, "\(path): the labels do not fit the memory budget any more", .memoryBudget)
    }
  }

  /// Replaces the classifier by what its file has now.
  private func read(_ source: Source, _ encoder: TextEncoder) throws(VDSQError) {
    if let labels = source.labels {
      let next = try labels.readChoice()
      let continuations = try Self.continuations(of: next, model)
      guard options.bases != nil || encoder.options.continuations.holds(continuations) else {
        throw .badInput(
          "\(source.file.path): words of several tokens need more memory than was planned; start "
            + "again")
      }
      try checkRoom(
        for: LabelMemory.bytes(of: next, dimensions: encoder.dimensions), source.file.path)
      current = try Self.classifier(next, encoder, options)
      return
    }
    let path = source.file.path
    let adapter = try Adapter(path: path, model: model.description).using(options.template)
    guard adapter.labels.dimensions == encoder.dimensions,
      adapter.intermediateFeatures == encoder.intermediateFeatures,
      adapter.updates == encoder.updates, adapter.labels.hasVectors(of: encoder.options)
    else {
      throw .badInput(
        "\(path): the adapter reads other layers, other weights or another prompt than before; "
          + "start again")
    }
    _ = try TextTemplate(adapter.labels.template, encoder: encoder)
    try checkRoom(for: adapter.bytes, path)
    current = try Classifier(adapter: adapter, temperature: options.temperature, kernels: kernels)
    currentAdapter = adapter
  }
}

extension Prediction {
  init(
    _ scores: LabelScores, _ labels: LabelSet, _ thresholds: [Float]?, top: Int,
    _ count: TokenCount
  ) {
    var candidates: [Candidate] = []
    for label in scores.ranking.prefix(max(1, top)) {
      candidates.append(
        Candidate(
          label: labels.names[label], index: label, probability: scores.probabilities[label],
          cosine: scores.cosines[label]))
    }
    var names: [String] = []
    if let thresholds {
      for label in scores.ranking
      where !count.isBlank && scores.probabilities[label] >= thresholds[label] {
        names.append(labels.names[label])
      }
    } else {
      names.append(candidates[0].label)
    }
    self.init(
      candidates: candidates, labels: names, tokens: count.tokens, isTruncated: count.isTruncated,
      isBlank: count.isBlank)
  }
}
