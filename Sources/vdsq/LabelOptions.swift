import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// How examples teach.
enum Method: String, CaseIterable, ExpressibleByArgument {
  /// Linear discriminant analysis with the label words as its prior, lower layers and logistic regression beside it
  /// where held-out examples like them; finetuning in their place where examples are many.
  case joint
  /// The same without finetuning.
  case frozen
  /// The closed form alone, of the vector alone.
  case prior
  /// The paper's semantic calibration, of rank 64.
  case calibration
  /// The same of rank 8.
  case lowRank = "low-rank"
  /// Retrieval: a vote of the closest examples.
  case knn
  /// Low-rank updates of the encoder's own weights, from the prior's head on.
  case finetune
}

/// What the labels are and how they are learned; the same for `classify` and `adapt`.
struct LabelOptions: ParsableArguments {
  @Option(
    help: """
      Labels: a,b,c, or with words that say what they mean: "billing=invoice,credit card;outage". \
      May be repeated.
      """)
  var labels: [String] = []

  @Option(help: "A file of labels: a line each, name or name=word,word phrase; or a JSON object.")
  var labelsFile: String?

  @Option(
    help: """
      A sentence around each label's words, such as "This is about {}."; {} for the words alone; with \
      {text} in it, around each text instead. By default a sentence encoder reads the words alone and in \
      two such sentences, and takes the mean.
      """)
  var template: String?

  @Option(help: "The field of an example's text.")
  var textField = "text"

  @Option(help: "The field of an example's label.")
  var labelField = "label"

  @Option(
    help: """
      How examples teach: joint (linear discriminant analysis with the labels' words as its prior, joined by \
      lower layers and logistic regression where held-out examples like them; from 32 examples of each label on it \
      finetunes, for minutes, unless held-out examples are clearly against that), frozen (the same without finetuning), prior (the first alone), \
      calibration (the paper's semantic calibration, of rank 64), low-rank (the same of rank 8), knn (a vote of the closest \
      examples), finetune (low-rank updates of the encoder's own weights: by name).
      """)
  var method: Method = .joint

  @Option(
    help: """
      The label of texts that belong to no other. Its examples say where they are, its name says nothing. With \
      --abstain it is also what stands in place of a doubtful label.
      """)
  var outOfScope: String?

  @Option(help: "Seed of calibration's random numbers.")
  var seed: UInt64 = 1

  @Option(
    help: """
      A folder that keeps examples' states between runs, so that only new texts go through the model.
      """)
  var cache: String?

  func parsedTemplate() throws(VDSQError) -> Template? {
    guard let template else { return nil }
    return try Template(template)
  }

  /// The labels that the options name; empty where they name none.
  func named() throws(VDSQError) -> [Label] {
    var all: [Label] = []
    for list in labels { all += try Label.parse(list: list) }
    if let labelsFile { all += try LabelFile.read(labelsFile) }
    return all.isEmpty && labels.isEmpty && labelsFile == nil ? [] : try Label.checked(scoped(all))
  }

  /// The label of what is out of scope without words.
  private func scoped(_ labels: [Label]) -> [Label] {
    labels.map { $0.name == outOfScope ? .outOfScope($0.name) : $0 }
  }

  /// The labels that the options name, or else those of examples.
  func all(in examples: [Examples.Example]) throws(VDSQError) -> [Label] {
    let named = try named()
    guard named.isEmpty else {
      let isMissing = outOfScope.map { name in
        !named.contains { $0.name == name } && examples.contains { $0.label == name }
      }
      return isMissing == true ? named + [.outOfScope(outOfScope!)] : named
    }
    return scoped(Examples.labels(of: examples))
  }

  /// What is tried beside the vector: states two thirds and five sixths of the way up, where what a sentence is
  /// like is told more plainly than at the top, which was trained for what it means; and the first word's, which
  /// pooling would drown.
  func intermediateFeatures(of model: Container) throws(VDSQError) -> [IntermediateFeature] {
    let c = model.metadata
    guard method == .joint || method == .frozen, c.find("architecture") == "bert",
      c.find("pooling") != "mask"
    else {
      return []
    }
    let layers = try c.integer("layers", in: 1...1024)
    guard layers >= 6 else { return [] }
    let upper = layers * 5 / 6
    return [
      IntermediateFeature(layers * 2 / 3), IntermediateFeature(upper),
      IntermediateFeature(upper, of: .firstToken),
    ]
  }

  /// Trains an adapter on the examples of a file.
  func adapter(
    from path: String, model: String, encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> Adapter {
    let examples = try ExampleFile.read(path, textField: textField, labelField: labelField)
    let task = try task(model, examples, encoding, quiet: quiet)
    let encoded = try encode(examples, task.labels, task.encoder, path, encoding, quiet: quiet)
    return try learn(encoded, task, quiet: quiet)
  }

  /// What learning may take beside the model, at most: states and copies of them, and the matrices of the covariance
  /// or of the votes.
  private static func learningBytes(
    _ examples: [Examples.Example], _ columns: Int
  ) -> Int {
    let count = examples.count
    let centers = min(count, LabelPrior.mostCenters)
    let system = max(
      count < columns ? 3 * count * count : 6 * columns * columns, 5 * centers * centers)
    let texts = examples.reduce(0) { $0 + $1.text.utf8.count + 128 }
    return 4 * (4 * count * columns + system) + 2 * texts
  }

  /// A model and labels with their anchors, ready for examples.
  struct Task {
    let encoder: TextEncoder
    let labels: [Label]
    let anchors: LabelSet
    /// Whether there is memory for finetuning, and it may change texts' states.
    let canFinetune: Bool
  }

  /// - Parameters:
  ///   - examples: those whose labels are taken where the options name none.
  ///   - keepsStates: whether texts' states are to stay those of the model as it is.
  func task(
    _ model: String, _ examples: [Examples.Example], _ encoding: EncoderOptions,
    keepsStates: Bool = false, quiet: Bool
  ) throws(VDSQError) -> Task {
    let file = try Container(path: model, kind: .model, decoding: .noWeights)
    let lower = try intermediateFeatures(of: file)
    let columns = try file.metadata.integer("hidden_size", in: 1...1 << 20) * (lower.count + 1)
    let more = Self.learningBytes(examples, columns)
    let labels = try all(in: examples)
    var opened: OpenedModel?
    if !keepsStates, try mayFinetune(examples, labels, file, encoding) {
      opened = try finetunable(model, file, lower, encoding, more: more, quiet: quiet)
    }
    let canFinetune = opened != nil
    if opened == nil { opened = try encoding.open(model, intermediateFeatures: lower, more: more) }
    let encoder = try opened!.encoder()
    return Task(
      encoder: encoder, labels: labels,
      anchors: try LabelSet(labels, encoder: encoder, template: try parsedTemplate()),
      canFinetune: canFinetune)
  }

  /// Whether finetuning is asked for, or the default's to try.
  private func mayFinetune(
    _ examples: [Examples.Example], _ labels: [Label], _ file: Container,
    _ encoding: EncoderOptions
  ) throws(VDSQError) -> Bool {
    guard method == .joint else { return method == .finetune }
    // It needs all layers at every step.
    guard encoding.memoryPolicy != .stream else { return false }
    let indices = Dictionary(labels.enumerated().map { ($1.name, $0) }) { first, _ in first }
    let targets = examples.compactMap { indices[$0.label] }
    return LowRankFinetuning.isWorthTrying(targets, labels: labels.count, of: file)
  }

  /// Opens a model for finetuning, no layers of which a budget may stream; nil where the default is to do without,
  /// since that does not fit.
  private func finetunable(
    _ model: String, _ file: Container, _ lower: [IntermediateFeature], _ encoding: EncoderOptions,
    more: Int, quiet: Bool
  ) throws(VDSQError) -> OpenedModel? {
    let longest = try file.metadata.integer("maximum_tokens", in: 2...1 << 20)
    let bytes = try LowRankFinetuning.bytes(
      file, longest: min(encoding.maxTokens ?? longest, longest))
    do {
      return try encoding.open(
        model, intermediateFeatures: lower, more: more + bytes, among: [.resident, .release])
    } catch  where error.category == .budgetTooSmall && method == .joint {
      if !quiet { StandardError.write("vdsq: without finetuning. \(error.message)\n") }
      return nil
    }
  }

  /// Runs the model over labelled texts of a file.
  func encode(
    _ examples: [Examples.Example], _ labels: [Label], _ encoder: TextEncoder, _ path: String,
    _ encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> Examples {
    let bar = ProgressBar("encoding \(path)", quiet: quiet)
    defer { bar.end() }
    return try Examples(
      examples, labels: labels, encoder: encoder, template: try parsedTemplate(),
      cache: try states(encoder, encoding), advance: { bar.show($0, of: examples.count) })
  }

  /// States that are kept between runs; nil where none are to be.
  func states(
    _ encoder: TextEncoder, _ encoding: EncoderOptions
  ) throws(VDSQError) -> StateCache? {
    // Other weights make other states, and are gone with their adapter.
    if encoder.updates != nil { return nil }
    return try cache.map { (folder) throws(VDSQError) in
      try StateCache(
        folder: folder, encoder: encoder,
        settings: ([encoding.precision.defaultValueDescription, "\(encoder.maximumTokens)"]
          + encoder.intermediateFeatures.map { "\($0.layer)\($0.tokens == .firstToken ? "f" : "")" })
          .joined(
            separator: "-"))
    }
  }

  /// Runs an adapter's model over labelled texts of a file, for its classifier to judge.
  func judge(
    _ examples: [Examples.Example], _ path: String, by adapter: Adapter, model: String,
    encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> (classifier: Classifier, encoded: Examples, columns: Int) {
    let opened = try encoding.open(
      model, intermediateFeatures: adapter.intermediateFeatures,
      more: adapter.bytes + Self.learningBytes(examples, adapter.labels.dimensions))
    let encoder = try adapter.encoder(opened.container, options: opened.options)
    let labels = adapter.labels.names.map { Label(name: $0) }
    let encoded = try encode(examples, labels, encoder, path, encoding, quiet: quiet)
    let classifier = try Classifier(
      labels: adapter.labels, adapter: adapter, kernels: encoder.kernels)
    return (classifier, encoded, encoder.dimensions)
  }

  func learn(_ examples: Examples, _ task: Task, quiet: Bool) throws(VDSQError) -> Adapter {
    let bar = ProgressBar("learning", quiet: quiet)
    defer { bar.end() }
    let kernels = task.encoder.kernels
    let identity = task.encoder.container.identity
    let (states, targets) = (examples.states, examples.targets)
    let report = { (share: Double) in bar.show(Int(share * 1000), of: 1000) }
    switch method {
    case .joint, .frozen:
      func closed(_ examples: Examples) throws(VDSQError) -> Adapter {
        try LabelPrior(kernels: kernels, joinsRegression: true).train(
          states: examples.states, targets: examples.targets, labels: task.anchors,
          intermediateFeatures: task.encoder.intermediateFeatures, modelIdentity: identity,
          report: report)
      }
      if task.canFinetune,
        LowRankFinetuning.isWorthTrying(
          targets, labels: task.anchors.count, of: task.encoder.container)
      {
        let tuned = try finetuning(task).adapter(
          examples, labels: task.anchors, unlessLessLikelyThan: closed, report: report)
        if let tuned { return tuned }
      }
      return try closed(examples)
    case .prior:
      return try LabelPrior(kernels: kernels, joinsRegression: false).train(
        states: states, targets: targets, labels: task.anchors, modelIdentity: identity,
        report: report)
    case .calibration, .lowRank:
      var options = SemanticCalibration.Options()
      options.seed = seed
      options.rank = method == .lowRank ? 8 : 0
      return try SemanticCalibration(options: options, kernels: kernels).train(
        states: states, targets: targets, labels: task.anchors, modelIdentity: identity,
        report: report)
    case .knn:
      return try NearestNeighbors(kernels: kernels).train(
        states: states, targets: targets, labels: task.anchors, modelIdentity: identity,
        report: report)
    case .finetune:
      return try finetuning(task).adapter(examples, labels: task.anchors, report: report)
    }
  }

  private func finetuning(_ task: Task) -> LowRankFinetuning {
    var options = LowRankFinetuning.Options()
    options.seed = seed
    return LowRankFinetuning(encoder: task.encoder, options: options)
  }
}
