public import VDSQFormat
import VDSQInference
public import VDSQSemantics

/// Labelled texts encoded by the model of an adapter, with the adapter's classifier, for evaluating
/// the adapter or reviewing labels.
public struct AdaptedExamples {
  /// The classifier of the adapter: its labels, and its head if it has one.
  public let classifier: Classifier
  /// The examples with their states. Targets are indices of the adapter's labels.
  public let examples: Examples

  /// Runs an adapter's model over labelled texts.
  ///
  /// - Parameters:
  ///   - options: how the model is run. The method is ignored.
  ///   - report: called as texts pass through the model.
  /// - Throws: `badInput` if an example's label is not among the adapter's, `budgetTooSmall` with
  ///   the smallest sufficient budget, and the errors of opening the model.
  public init(
    _ examples: [Examples.Example], adapter: Adapter, modelPath: String, options: TrainingOptions,
    report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) {
    var opening = Opening(
      path: modelPath, options: options, features: adapter.intermediateFeatures)
    try opening.choose(
      among: MemoryPolicy.all,
      more: adapter.bytes + TrainingPlan.bytes(for: examples, columns: adapter.labels.dimensions))
    let encoder = try adapter.encoder(try opening.container(), options: opening.encoder)
    self.examples = try Examples(
      examples, labels: adapter.labels.names.map { Label(name: $0) }, encoder: encoder,
      template: options.template,
      cache: try StateCache(folder: options.cacheFolder, encoder: encoder),
      advance: { report(.encoded($0, of: examples.count)) })
    classifier = try Classifier(adapter: adapter, kernels: encoder.kernels)
  }
}
