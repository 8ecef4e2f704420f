public import VDSQFormat
public import VDSQInference
public import VDSQSemantics

/// Learns an adapter file one example at a time.
///
///     let learner = OnlineLearner(path: "tickets.vdsa", encoder: encoder)
///     try learner.begin(labels)
///     let outcome = try learner.learn(example, context: "ticket 7")
///     // outcome.predicted: what a classifier would have answered before.
///
/// Every change reads the file again if another process replaced it, and replaces the whole file,
/// under a lock. So a kill loses at most one change, and learners can share a file. The file keeps
/// sums over the examples (`OnlineDiscriminant`), not their texts, so its size does not depend on
/// their number.
public final class OnlineLearner {
  /// The outcome of learning an example.
  public struct Outcome: Sendable, Equatable {
    /// The example's label.
    public let label: String
    /// The label that the adapter gave to the text before it learned it.
    public let predicted: String
    /// The probability of that label, from 0 to 1.
    public let probability: Float
    /// The number of examples that the adapter has learned, this one among them.
    public let count: Int
  }

  /// The adapter file.
  public let path: String
  package let encoder: TextEncoder
  private var stamp: FileStamp?
  private var model: OnlineModel?
  private var classifier: Classifier?
  /// Why texts without labels do not change the head.
  private var refusal: UnlabelledRefusal?

  /// - Parameters:
  ///   - path: an adapter file that `begin` made or will make, or that training made.
  ///   - encoder: an encoder of the adapter's model, with the adapter's intermediate features and
  ///     weight updates.
  public init(path: String, encoder: TextEncoder) {
    self.path = path
    self.encoder = encoder
  }

  /// Whether the file exists.
  public var exists: Bool { FileStamp(path: path) != nil }

  /// The number of examples that were learned, as of the last change; 0 before the first.
  public var count: Int { model?.count ?? 0 }

  /// The names of the labels, as of the last change; none before the first.
  public var labels: [String] { model?.labels.names ?? [] }

  /// The template with which the file began.
  ///
  /// - Throws: `missingInput` or `badInput` for the file.
  public func template() throws(VDSQError) -> Template? {
    if model == nil { try read(FileStamp(path: path)) }
    return model!.labels.template
  }

  /// Makes the file if it does not exist.
  ///
  /// - Throws: `usage` if it exists and has other labels or another template, or cannot be written.
  public func begin(_ labels: LabelSet) throws(VDSQError) {
    guard exists else {
      return try save(
        .discriminant(OnlineDiscriminant(labels: labels, kernels: encoder.kernels)), replace: false)
    }
    let adapter = try Adapter(path: path, model: encoder.container)
    _ = try adapter.using(labels.template)
    let known = adapter.labels.names
    guard known.byteStrings == labels.names.byteStrings else {
      throw .usage(
        "\(path): exists and has other labels (\(known.joined(separator: ", ")))", .labels)
    }
  }

  /// Whether a text has nothing to read for the model, so that nothing can be learned of it.
  ///
  /// - Parameter text: UTF-8.
  /// - Throws: `missingInput` or `badInput` for the file.
  package func isBlank(_ text: UnsafeRawBufferPointer) throws(VDSQError) -> Bool {
    var template = try TextTemplate(try template(), encoder: encoder)
    return template.isBlank(text, for: encoder)
  }

  /// Learns an example.
  ///
  /// - Parameter context: where the example is from, for error messages; may be empty.
  /// - Returns: the answer before the example was learned.
  /// - Throws: `badInput` if the label is not one of the file's, or the text has nothing to read;
  ///   what reading and writing the file throws.
  public func learn(
    _ example: Examples.Example, context: String
  ) throws(VDSQError) -> Outcome {
    guard let state = try state(of: example.text) else {
      throw .badInput("\(context.isEmpty ? "" : "\(context): ")the text has nothing to read")
    }
    var name = example.label
    var predicted = (label: "", probability: Float(0))
    try change { (discriminant, classifier) throws(VDSQError) in
      let target: Int
      do throws(VDSQError) {
        target = try self.index(of: example.label, in: discriminant, context)
      } catch { throw VDSQError(error.category, error.message, .labels) }
      let scores = classifier.scores(of: state)
      name = discriminant.labels.names[target]
      predicted = (classifier.labels.names[scores.best], scores.probabilities[scores.best])
      try discriminant.learn(state, target)
    }
    return Outcome(
      label: name, predicted: predicted.label, probability: predicted.probability, count: count)
  }

  /// Forgets the last example that was learned, of the last `OnlineDiscriminant.undoable` ones.
  ///
  /// - Returns: its label.
  /// - Throws: `usage` if there is none left that could be forgotten.
  public func undo() throws(VDSQError) -> String {
    var name = ""
    try change { (discriminant, _) throws(VDSQError) in
      guard let label = try discriminant.undo() else {
        throw .usage(
          "\(self.path): no example is left to take back; only the last \(OnlineDiscriminant.undoable) can be"
        )
      }
      name = discriminant.labels.names[label]
    }
    return name
  }

  /// Removes a label and everything that its examples taught.
  ///
  /// - Parameter context: where the label is from, for error messages.
  /// - Throws: `badInput` if it is not one of the file's; `usage` if it is the only one.
  public func forget(_ label: String, context: String) throws(VDSQError) {
    try change { (discriminant, _) throws(VDSQError) in
      try discriminant.forget(try self.index(of: label, in: discriminant, context))
    }
  }

  /// Notes the states of texts without labels, which move the head from then on.
  ///
  /// - Parameter states: `[texts, dimensions]`.
  /// - Returns: why the texts do not change the head, if they do not.
  /// - Throws: `usage` if the adapter cannot be moved so; the errors of reading and writing the file.
  package func see(_ states: [Float]) throws(VDSQError) -> UnlabelledRefusal? {
    try change { (model, _) throws(VDSQError) in
      do throws(VDSQError) { try model.see(states) } catch { throw self.placed(error) }
    }
    return refusal
  }

  /// Refuses an adapter that a stream cannot move.
  ///
  /// - Throws: as `see`.
  package func checkStream() throws(VDSQError) {
    if model == nil { try read(FileStamp(path: path)) }
    do throws(VDSQError) { try model!.checkStream() } catch { throw placed(error) }
  }

  /// Forgets all texts without labels, so that the head is that of the examples again.
  ///
  /// - Throws: as `see`.
  public func forgetStream() throws(VDSQError) {
    try change { (model, _) throws(VDSQError) in
      do throws(VDSQError) { try model.forgetStream() } catch { throw self.placed(error) }
    }
  }

  private func placed(_ error: VDSQError) -> VDSQError {
    VDSQError(error.category, "\(path): \(error.message)", error.setting)
  }

  /// Adds labels to the file's.
  ///
  /// - Throws: `usage` if one is there already.
  public func add(_ labels: LabelSet) throws(VDSQError) {
    try change { (discriminant, _) throws(VDSQError) in try discriminant.add(labels) }
  }

  /// Nil for a text that has nothing to read.
  private func state(of text: String) throws(VDSQError) -> [Float]? {
    var template = try TextTemplate(try template(), encoder: encoder)
    let isBlank = Array(text.utf8).withUnsafeBytes { template.add($0, to: encoder).isBlank }
    var state: [Float]?
    try encoder.encode { _, vector in
      state =
        isBlank ? nil : Array(UnsafeBufferPointer(start: vector, count: encoder.dimensions))
    }
    return state
  }

  private func index(
    of label: String, in model: OnlineModel, _ context: String
  ) throws(VDSQError) -> Int {
    let names = model.labels.names
    guard
      let index = names.firstIndex(ofBytes: label) ?? LabelIndex.index(of: label, among: names)
    else {
      let known = names.joined(separator: ", ")
      let place = context.isEmpty ? "" : "\(context): "
      throw .badInput("\(place)\(label) is not among the labels of \(path): \(known)")
    }
    return index
  }

  private func change(
    _ body: (inout OnlineModel, Classifier) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    let lock = FolderLock(of: path)
    defer { lock.release() }
    let now = FileStamp(path: path)
    if model == nil || now != stamp { try read(now) }
    // A change that cannot be saved is not applied either.
    var changed = model!
    let before =
      if let classifier { classifier } else {
        try makeClassifier(try changed.adapter(modelIdentity: encoder.container.identity).adapter)
      }
    try body(&changed, before)
    try save(changed, replace: true)
  }

  private func read(_ now: FileStamp?) throws(VDSQError) {
    model = try OnlineModel(path: path, model: encoder.container, kernels: encoder.kernels)
    if case .correction(let correction) = model {
      guard correction.adapter.intermediateFeatures == encoder.intermediateFeatures,
        correction.adapter.updates == encoder.updates
      else {
        throw .badInput(
          "\(path): the adapter reads other layers, or other weights, than before; start again")
      }
    }
    guard model!.labels.dimensions == encoder.dimensions else {
      throw .badInput("\(path): the adapter's dimensions are not the model's")
    }
    guard model!.labels.hasVectors(of: encoder.options) else {
      throw .badInput("\(path): the adapter was trained with another prompt; start again")
    }
    stamp = now
    classifier = nil
  }

  private func makeClassifier(_ adapter: Adapter) throws(VDSQError) -> Classifier {
    try Classifier(adapter: adapter, kernels: encoder.kernels)
  }

  private func save(_ changed: OnlineModel, replace: Bool) throws(VDSQError) {
    let learned = try changed.write(
      to: path, modelIdentity: encoder.container.identity, replace: replace)
    model = changed
    stamp = FileStamp(path: path)
    classifier = try makeClassifier(learned.adapter)
    refusal = learned.refusal
  }
}
