public import VDSQFormat
import VDSQInference
import VDSQKernels
public import VDSQSemantics

/// Assigns labels to texts: zero-shot, by the meaning of label words, or with an adapter that was
/// trained on examples.
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
    /// The softmax temperature, by which logits are divided. Nil means that of the adapter, or
    /// `Classifier.defaultTemperature`.
    public var temperature: Float?

    /// The default templates, and one thread.
    public init() {}
  }

  private let pool: EncoderPool
  private let options: Options
  private let kernels: KernelTable
  private let follower: AdapterFollower?
  private let lock = Lock()
  // Guarded by the lock.
  private var current: Classifier
  private var currentAdapter: Adapter?
  private var revision = 0

  /// The maximum number of tokens of a text; longer texts are truncated.
  public let maximumTokens: Int

  /// A zero-shot classifier, which compares texts with label words.
  ///
  /// - Parameters:
  ///   - labels: at least one; their names are different.
  /// - Throws: `usage` for labels or options out of range; `badInput` for a model that cannot be
  ///   run or has no bases; `budgetTooSmall` if the memory budget does not suffice.
  public convenience init(
    model: Model, labels: [Label], options: Options = Options()
  ) throws(VDSQError) {
    let pool = try EncoderPool(model, options.run, adapter: nil, adapterCopies: 0)
    try self.init(pool, options, adapter: nil, follower: nil) { (encoder) throws(VDSQError) in
      try Classifier(
        labels: try LabelSet(labels, encoder: encoder, template: options.template),
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
    try self.init(model, adapter, copies: 1, follower: nil, options)
  }

  /// A classifier with an adapter's file, which may be replaced while the classifier runs. The next
  /// texts are then classified with the new adapter.
  ///
  /// - Throws: `missingInput` or `badInput` for the adapter's file; the errors of the other
  ///   initializers.
  public convenience init(
    model: Model, adapterFile path: String, options: Options = Options()
  ) throws(VDSQError) {
    let follower = AdapterFollower(path: path, model: model)
    guard let adapter = try follower.changed() else {
      throw VDSQError(.missingInput, "\(path): cannot be read")
    }
    // While the file is read again, the previous adapter is still in memory.
    try self.init(model, adapter, copies: 2, follower: follower, options)
  }

  private convenience init(
    _ model: Model, _ adapter: Adapter, copies: Int, follower: AdapterFollower?,
    _ options: Options
  ) throws(VDSQError) {
    let adapter = try adapter.using(options.template)
    let pool = try EncoderPool(model, options.run, adapter: adapter, adapterCopies: copies)
    try self.init(pool, options, adapter: adapter, follower: follower) {
      (encoder) throws(VDSQError) in
      try Classifier(adapter: adapter, temperature: options.temperature, kernels: encoder.kernels)
    }
  }

  private init(
    _ pool: EncoderPool, _ options: Options, adapter: Adapter?, follower: AdapterFollower?,
    _ makeClassifier: (TextEncoder) throws(VDSQError) -> Classifier
  ) throws(VDSQError) {
    let encoder = try pool.take()
    self.pool = pool
    self.options = options
    self.follower = follower
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
  /// - Throws: `badInput` if the model's weights or the adapter's file cannot be read.
  public func classify(_ texts: [String], top: Int = 1) throws(VDSQError) -> [Prediction] {
    let context = try makeContext()
    defer { context.end() }
    var predictions: [Prediction] = []
    predictions.reserveCapacity(texts.count)
    func flush() throws(VDSQError) {
      try context.classify(top: top) { count, labels, scores in
        predictions.append(Prediction(scores, labels, top: top, count))
      }
    }
    for text in texts {
      if !context.hasRoom { try flush() }
      var text = text
      _ = text.withUTF8 { context.add(UnsafeRawBufferPointer($0)) }
    }
    try flush()
    return predictions
  }

  /// Classifies one text.
  ///
  /// - Parameter top: the number of labels to return, at least 1.
  /// - Throws: `badInput` if the model's weights or the adapter's file cannot be read.
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

  /// Reads the adapter's file again if it changed.
  ///
  /// - Throws: the errors of reading an adapter, and `badInput` if the new one needs another
  ///   encoder.
  func follow(_ encoder: TextEncoder) throws(VDSQError) {
    guard let follower else { return }
    lock.lock()
    defer { lock.unlock() }
    guard let adapter = try follower.changed()?.using(options.template) else { return }
    guard adapter.labels.dimensions == encoder.dimensions,
      adapter.intermediateFeatures == encoder.intermediateFeatures,
      adapter.updates == encoder.updates
    else {
      throw .badInput(
        "\(follower.path): the adapter reads other layers, or other weights, than before; start again"
      )
    }
    current = try Classifier(
      adapter: adapter, temperature: options.temperature, kernels: kernels)
    currentAdapter = adapter
    revision += 1
  }
}

extension Prediction {
  init(_ scores: LabelScores, _ labels: LabelSet, top: Int, _ count: TokenCount) {
    var candidates: [Candidate] = []
    for label in scores.ranking.prefix(max(1, top)) {
      candidates.append(
        Candidate(
          label: labels.names[label], index: label, probability: scores.probabilities[label],
          cosine: scores.cosines[label]))
    }
    self.init(candidates: candidates, tokens: count.tokens, isTruncated: count.isTruncated)
  }
}
