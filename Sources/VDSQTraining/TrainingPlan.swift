public import VDSQFormat
public import VDSQInference
public import VDSQSemantics

/// What few-shot training will do, known before any example goes through the model.
public struct TrainingPlan: Sendable {
  /// The model's file.
  public let modelPath: String
  /// In the order of the adapter's logits.
  public let labels: [Label]
  public let options: TrainingOptions
  /// How the model will be run, the memory policy and intermediate features among it.
  public let encoderOptions: TextEncoder.Options
  /// Whether low-rank updates of the encoder's weights will be tried, or made.
  public let triesFinetuning: Bool
  /// Bytes that training takes beside the model at most.
  public let trainingBytes: Int

  public var method: TrainingMethod { options.method }
  /// The intermediate layers' states that are tried beside the model's vector.
  public var intermediateFeatures: [IntermediateFeature] { encoderOptions.intermediateFeatures }

  /// Plans within the options' memory budget, which is a matter of milliseconds.
  ///
  /// - Parameters:
  ///   - model: the model's file; its weights need not have been decoded.
  ///   - labels: at least one; `Examples.labels` finds those of examples.
  ///   - examples: all that will be encoded at a time.
  ///   - report: called where the default does without finetuning.
  /// - Throws: `budgetTooSmall`, with the smallest budget that would do; `badInput` where the
  ///   method cannot be used with the model.
  public init(
    model: Container, labels: [Label], examples: [Examples.Example], options: TrainingOptions,
    report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) {
    let method = options.method.definition
    let features = try method.usesIntermediateFeatures ? Self.intermediateFeatures(of: model) : []
    let architecture = try Architecture(model.metadata)
    let columns = architecture.hiddenSize * (features.count + 1)
    let bytes = Self.bytes(for: examples, columns: columns)
    var opening = Opening(path: model.path, options: options, features: features)
    var finetuningBytes: Int?
    if try Self.maySpendOnFinetuning(model, labels, examples, options) {
      let longest = architecture.maximumTokens
      let more = try LowRankFinetuning.bytes(
        model, longest: min(options.encoder.maximumTokens ?? longest, longest))
      do {
        // Every step needs all layers, so none of them are streamed.
        try opening.choose(among: [.resident, .release], more: bytes + more)
        finetuningBytes = more
      } catch  where error.category == .budgetTooSmall && method.finetuning != .always {
        report(.finetuningSkipped(error))
      }
    }
    if finetuningBytes == nil { try opening.choose(among: MemoryPolicy.all, more: bytes) }
    modelPath = model.path
    self.labels = labels
    self.options = options
    encoderOptions = opening.encoder
    triesFinetuning = finetuningBytes != nil
    trainingBytes = bytes + (finetuningBytes ?? 0)
  }

  /// Whether finetuning is asked for, or the method's to try.
  private static func maySpendOnFinetuning(
    _ model: Container, _ labels: [Label], _ examples: [Examples.Example],
    _ options: TrainingOptions
  ) throws(VDSQError) -> Bool {
    guard options.allowsFinetuning else { return false }
    switch options.method.definition.finetuning {
    case .never: return false
    case .always: return true
    case .whereWorthwhile:
      guard options.memoryPolicy != .stream else { return false }
      let indices = Dictionary(labels.enumerated().map { ($1.name, $0) }) { first, _ in first }
      let targets = examples.compactMap { indices[$0.label] }
      return LowRankFinetuning.isWorthTrying(targets, labels: labels.count, of: model)
    }
  }

  /// What is tried beside the vector, pooled features first: states of intermediate layers, where
  /// what a sentence is like is more plain than at the top, which was trained for what it means;
  /// and the first word's state, which pooling would hide.
  private static func intermediateFeatures(
    of model: Container
  ) throws(VDSQError) -> [IntermediateFeature] {
    let architecture = try Architecture(model.metadata)
    let layers = architecture.layers
    guard !architecture.hasLanguageModelHead,
      layers >= Hyperparameters.Intermediate.leastLayers
    else { return [] }
    let (lower, upper) = Hyperparameters.Intermediate.layers(of: layers)
    return [
      IntermediateFeature(lower), IntermediateFeature(upper),
      IntermediateFeature(upper, of: .firstToken),
    ]
  }

  /// Bytes that examples and training by closed forms take at most: states and copies of them, and
  /// the matrices of the covariance or of the centers.
  static func bytes(for examples: [Examples.Example], columns: Int) -> Int {
    let count = examples.count
    let centers = min(count, Hyperparameters.Ridge.mostCenters)
    let system = max(
      count < columns ? 3 * count * count : 6 * columns * columns, 5 * centers * centers)
    let texts = examples.reduce(0) { $0 + $1.text.utf8.count + 128 }
    return 4 * (4 * count * columns + system) + 2 * texts
  }
}
