import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// How examples teach.
enum Method: String, CaseIterable, ExpressibleByArgument {
  /// Linear discriminant analysis with the label words as its prior.
  case prior
  /// The paper's semantic calibration.
  case calibration
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
      How examples teach: prior (linear discriminant analysis with the labels' words as its prior, joined by \
      logistic regression where there are examples enough) or calibration (the paper's semantic calibration).
      """)
  var method: Method = .prior

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
    return all.isEmpty && labels.isEmpty && labelsFile == nil ? [] : try Label.checked(all)
  }

  /// What is tried beside the vector: states two thirds and five sixths of the way up, where what a sentence is
  /// like is told more plainly than at the top, which was trained for what it means; and the first word's, which
  /// pooling would drown.
  func lowerStates(of model: Container) throws(VDSQError) -> [LowerState] {
    let c = model.metadata
    guard method == .prior, c.find("architecture") == "bert", c.find("pooling") != "mask" else {
      return []
    }
    let layers = try c.integer("layers", in: 1...1024)
    guard layers >= 6 else { return [] }
    let upper = layers * 5 / 6
    return [LowerState(layers * 2 / 3), LowerState(upper), LowerState(upper, isFirstWord: true)]
  }

  /// Trains an adapter on the examples of a file.
  func adapter(
    from path: String, model: Container, encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> Adapter {
    let lower = try lowerStates(of: model)
    let encoder = try TextEncoder(model, options: encoding.options(lowerStates: lower))
    let examples = try ExampleFile.read(path, textField: textField, labelField: labelField)
    var labels = try named()
    if labels.isEmpty { labels = Examples.labels(of: examples) }
    let anchors = try LabelSet(labels, encoder: encoder, template: try parsedTemplate())
    let encoded = try encode(examples, labels, encoder, path, encoding, quiet: quiet)
    return try learn(encoded, anchors, encoder, lower, quiet: quiet)
  }

  /// Runs the model over labelled texts of a file.
  func encode(
    _ examples: [Examples.Example], _ labels: [Label], _ encoder: TextEncoder, _ path: String,
    _ encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> Examples {
    let bar = ProgressBar("encoding \(path)", quiet: quiet)
    defer { bar.end() }
    let states = try cache.map { (folder) throws(VDSQError) in
      try StateCache(
        folder: folder, encoder: encoder,
        settings: ([encoding.precision.defaultValueDescription, "\(encoder.maximumTokens)"]
          + encoder.lowerStates.map { "\($0.layer)\($0.isFirstWord ? "f" : "")" }).joined(
            separator: "-"))
    }
    return try Examples(
      examples, labels: labels, encoder: encoder, template: try parsedTemplate(), cache: states,
      advance: { bar.show($0, of: examples.count) })
  }

  /// Runs an adapter's model over labelled texts of a file, for its classifier to judge.
  func judge(
    _ examples: [Examples.Example], _ path: String, by adapter: Adapter, model: Container,
    encoding: EncoderOptions, quiet: Bool
  ) throws(VDSQError) -> (classifier: Classifier, encoded: Examples, columns: Int) {
    let encoder = try adapter.encoder(model, options: encoding.options())
    let labels = adapter.labels.names.map { Label(name: $0) }
    let encoded = try encode(examples, labels, encoder, path, encoding, quiet: quiet)
    let classifier = try Classifier(
      labels: adapter.labels, adapter: adapter, kernels: encoder.kernels)
    return (classifier, encoded, encoder.dimensions)
  }

  func learn(
    _ examples: Examples, _ labels: LabelSet, _ encoder: TextEncoder, _ lowerStates: [LowerState],
    quiet: Bool
  ) throws(VDSQError) -> Adapter {
    let bar = ProgressBar("learning", quiet: quiet)
    defer { bar.end() }
    let identity = encoder.container.identity
    let report = { (share: Double) in bar.show(Int(share * 1000), of: 1000) }
    switch method {
    case .prior:
      return try LabelPrior(kernels: encoder.kernels).train(
        states: examples.states, targets: examples.targets, labels: labels,
        lowerStates: lowerStates, modelIdentity: identity, report: report)
    case .calibration:
      var options = SemanticCalibration.Options()
      options.seed = seed
      return try SemanticCalibration(options: options, kernels: encoder.kernels).train(
        states: examples.states, targets: examples.targets, labels: labels,
        modelIdentity: identity, report: report)
    }
  }
}
