package import VDSQ
package import VDSQFormat
import VDSQInference
package import VDSQSemantics

/// Labelled texts encoded by the model of an adapter, with the adapter's classifier, for evaluating
/// the adapter or reviewing labels. The model's own head can take the adapter's place.
package struct AdaptedExamples {
  /// The classifier of the adapter: its labels, and its head if it has one.
  package let classifier: Classifier
  /// The examples with their states. Targets are indices of the adapter's labels.
  package let examples: Examples

  /// Runs a model over labelled texts, which its own head then classifies.
  ///
  /// - Throws: `usage` if the model has no head of texts with a softmax; the errors of the other
  ///   initializer.
  package init(
    _ examples: [Examples.Example], headOf model: Model, options: TrainingOptions,
    report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) {
    let columns = try Architecture(model.description.metadata).hiddenSize
    let encoder = try model.encoder(
      try model.encoderOptions(
        options.run,
        more: ModelHead.bytes(model.description)
          + TrainingPlan.bytes(for: examples, columns: columns)))
    let head = try ModelHead.ofTexts(encoder.container, kernels: encoder.kernels)
    classifier = try Classifier(
      modelHead: head, template: options.template, kernels: encoder.kernels)
    guard classifier.isChoice else {
      throw .usage("\(model.path): the model's own head does not choose one label")
    }
    self.examples = try Examples(
      examples, labels: head.description.labels.map { Label(name: $0) }, encoder: encoder,
      template: options.template,
      cache: try StateCache(folder: options.cacheFolder, encoder: encoder),
      advance: { report(.encoded($0, of: examples.count)) })
    TrainingEvent.report(examples, encoded: self.examples, by: encoder, to: report)
  }

  /// Runs an adapter's model over labelled texts.
  ///
  /// - Parameters:
  ///   - options: how the model is run. The method is ignored.
  ///   - report: called as texts pass through the model.
  /// - Throws: `badInput` if an example's label is not among the adapter's, `budgetTooSmall` with
  ///   the smallest sufficient budget, and the errors of opening the model.
  package init(
    _ examples: [Examples.Example], adapter: Adapter, model: Model, options: TrainingOptions,
    report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) {
    guard adapter.thresholds == nil else {
      throw .usage("the adapter gives a text any number of labels, and does not choose one")
    }
    try self.init(
      encoding: examples, adapter: adapter, model: model, options: options, report: report)
  }

  /// Runs the model of any adapter over texts.
  init(
    encoding examples: [Examples.Example], adapter: Adapter, model: Model,
    options: TrainingOptions, report: (TrainingEvent) -> Void
  ) throws(VDSQError) {
    let adapter = try adapter.using(options.template)
    let encoderOptions = try model.encoderOptions(
      options.run, intermediateFeatures: adapter.intermediateFeatures,
      more: adapter.bytes + TrainingPlan.bytes(for: examples, columns: adapter.labels.dimensions))
    let encoder = try adapter.encoder(
      try model.container(for: encoderOptions.policy), options: encoderOptions)
    self.examples = try Examples(
      examples, labels: adapter.labels.names.map { Label(name: $0) }, encoder: encoder,
      template: adapter.labels.template,
      cache: try StateCache(folder: options.cacheFolder, encoder: encoder),
      advance: { report(.encoded($0, of: examples.count)) })
    TrainingEvent.report(examples, encoded: self.examples, by: encoder, to: report)
    classifier = try Classifier(adapter: adapter, kernels: encoder.kernels)
  }
}
