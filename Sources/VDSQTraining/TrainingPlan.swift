public import VDSQ
public import VDSQFormat
public import VDSQInference
public import VDSQSemantics

/// The plan of few-shot training, known before any example passes through the model.
public struct TrainingPlan: Sendable {
  /// The model.
  public let model: Model
  /// The labels in the order of the adapter's logits.
  public let labels: [Label]
  /// The options that were given to the plan.
  public let options: TrainingOptions
  /// How the model will be run, including memory policy and intermediate features.
  public let encoderOptions: TextEncoder.Options
  /// Whether finetuning of the encoder will be tried, or done.
  public let triesFinetuning: Bool
  /// Whether states stay in the file of the cache, because the budget has no room for them.
  public let areStatesCached: Bool
  /// The maximum number of bytes that training takes beside the model.
  public let trainingBytes: Int

  /// The method of the options.
  public var method: TrainingMethod { options.method }
  /// The intermediate features that are tried beside the model's vector.
  public var intermediateFeatures: [IntermediateFeature] { encoderOptions.intermediateFeatures }

  /// Plans within the memory budget of the options. This takes milliseconds.
  ///
  /// - Parameters:
  ///   - model: the model to train on.
  ///   - labels: at least one label; `Examples.labels` finds the labels of examples.
  ///   - examples: all examples that will be encoded together.
  ///   - report: called if the default method skips finetuning.
  /// - Throws: `budgetTooSmall`, with the smallest sufficient budget; `badInput` if the method
  ///   cannot be used with the model.
  public init(
    model: Model, labels: [Label], examples: [Examples.Example], options: TrainingOptions,
    report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) {
    try Label.checkChoice(labels)
    let method = options.method.definition
    guard options.unlabelledTexts.isEmpty || method.usesUnlabelledTexts else {
      throw .usage(
        "the method \(options.method.rawValue) learns from labelled examples alone",
        .unlabelledTexts)
    }
    let file = model.description
    let architecture = try Architecture(file.metadata)
    let own = try OutputModules.vectorSize(file, cutTo: options.run.dimensions)
    // Blocks of features have as many columns as the vector.
    let features =
      method.usesIntermediateFeatures && own == architecture.hiddenSize
      ? Self.intermediateFeatures(of: architecture) : []
    let columns = own * (features.count + 1)
    let others =
      Self.unlabelledBytes(options.unlabelledTexts, columns: columns, labels: labels.count)
      + Self.closedFormBytes(examples.count, labels: labels.count, columns: columns)
    let bytes = Self.bytes(for: examples, columns: columns) + others
    var encoderOptions: TextEncoder.Options?
    var (trainingBytes, areStatesCached) = (bytes, false)
    if try Self.maySpendOnFinetuning(file, labels, examples, options) {
      let longest = architecture.maximumTokens
      let more = try LowRankFinetuning.bytes(
        file, texts: examples.count, longest: min(options.run.maximumTokens ?? longest, longest))
      do {
        // Every step needs all layers, so they cannot be streamed.
        encoderOptions = try model.encoderOptions(
          options.run, intermediateFeatures: features, more: bytes + more,
          among: [.resident, .release])
        trainingBytes += more
      } catch  where error.category == .budgetTooSmall && method.finetuning != .always {
        report(.finetuningSkipped(error))
      }
    }
    triesFinetuning = encoderOptions != nil
    if encoderOptions == nil {
      do {
        encoderOptions = try model.encoderOptions(
          options.run, intermediateFeatures: features, more: bytes)
      } catch  where error.category == .budgetTooSmall {
        guard options.cacheFolder != nil else {
          throw VDSQError(
            .budgetTooSmall, "\(error.message), and so does a cache folder, where states stay",
            .memoryBudget)
        }
        trainingBytes = Self.bytesOfTexts(examples) + others
        areStatesCached = true
        encoderOptions = try model.encoderOptions(
          options.run, intermediateFeatures: features, more: trainingBytes)
      }
    }
    self.encoderOptions = encoderOptions!
    self.model = model
    self.labels = labels
    self.options = options
    self.areStatesCached = areStatesCached
    self.trainingBytes = trainingBytes
  }

  /// Whether finetuning is requested, or tried by the method.
  private static func maySpendOnFinetuning(
    _ model: Container, _ labels: [Label], _ examples: [Examples.Example],
    _ options: TrainingOptions
  ) throws(VDSQError) -> Bool {
    guard options.allowsFinetuning else { return false }
    if !options.unlabelledTexts.isEmpty, options.method.definition.finetuning != .always {
      return false
    }
    switch options.method.definition.finetuning {
    case .never: return false
    case .always:
      guard options.run.dimensions == nil else {
        throw .usage("finetuning needs whole vectors; leave the number out", .dimensions)
      }
      return true
    case .whereWorthwhile:
      guard options.run.memoryPolicy != .stream, options.run.dimensions == nil else {
        return false
      }
      let indices = Dictionary(
        labels.enumerated().map { (ByteString($1.name), $0) }
      ) { first, _ in first }
      let targets = examples.compactMap { indices[ByteString($0.label)] }
      return LowRankFinetuning.isWorthTrying(targets, labels: labels.count, of: model)
    }
  }

  /// The features to try beside the vector, pooled features first: states of intermediate layers,
  /// which keep information that the top layers discard, and the state of the first word, which
  /// pooling would hide.
  private static func intermediateFeatures(
    of architecture: Architecture
  ) -> [IntermediateFeature] {
    let layers = architecture.layers
    guard architecture.family == .bidirectionalEncoder, !architecture.hasLanguageModelHead,
      layers >= Hyperparameters.Intermediate.leastLayers
    else { return [] }
    let (lower, upper) = Hyperparameters.Intermediate.layers(of: layers)
    return [
      IntermediateFeature(lower), IntermediateFeature(upper),
      IntermediateFeature(upper, of: .firstToken),
    ]
  }

  /// The maximum number of bytes for examples: their texts and states.
  public static func bytes(for examples: [Examples.Example], columns: Int) -> Int {
    bytesOfTexts(examples) + StateRows.Builder.bytes(rows: examples.count, columns: columns)
  }

  /// The maximum number of bytes for the texts of examples, with the places of their states.
  private static func bytesOfTexts(_ examples: [Examples.Example]) -> Int {
    examples.reduce(0) { $0 + 2 * ($1.text.utf8.count + 128) }
  }

  /// The maximum number of bytes for texts without labels: their states, a copy about the centre,
  /// shares and two covariances.
  private static func unlabelledBytes(_ texts: [String], columns: Int, labels: Int) -> Int {
    guard !texts.isEmpty else { return 0 }
    let count = min(texts.count, Hyperparameters.Unlabelled.mostTexts)
    return texts.reduce(0) { $0 + 2 * ($1.utf8.count + 128) }
      + 4 * (count * (3 * columns + 2 * labels) + 5 * columns * columns)
  }

  /// The maximum number of bytes that closed forms and regression take beside the examples.
  private static func closedFormBytes(_ count: Int, labels: Int, columns: Int) -> Int {
    let block = PackedMatrix.blockLength * (3 * columns + 3 * labels)
    // Anchors, sums, means and weights of each label.
    let heads = 8 * labels * columns
    // A scatter and the factor of a covariance, or products of few deviations.
    let covariance =
      GaussianClasses.areFew(count, columns)
      ? count * columns + 3 * count * count : 2 * columns * columns
    guard count >= Hyperparameters.Stacking.examplesPerLabel * labels else {
      return 4 * (covariance + heads + block)
    }
    let vectors = 2 * Hyperparameters.Optimizer.history + 12
    let regression = vectors * labels * (columns + 1) + (columns + 1) * (columns + 1) + 3 * block
    let centers = min(count, Hyperparameters.Ridge.mostCenters)
    let ridge = 4 * centers * centers + 3 * PackedMatrix.blockLength * centers
    let chosen = min(count, Hyperparameters.Discriminant.mostForChoosing)
    let heldOut =
      (chosen / Hyperparameters.folds + 1) * columns
      + chosen * labels
      * (2 + Hyperparameters.Stacking.strengths.count + Hyperparameters.Ridge.penalties.count)
    return 4 * (max(covariance + block, regression, ridge) + heads + heldOut)
  }
}
