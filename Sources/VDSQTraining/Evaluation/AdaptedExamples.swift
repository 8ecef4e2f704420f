public import VDSQFormat
import VDSQInference
public import VDSQSemantics

/// Labelled texts as an adapter's model encodes them, and the adapter's classifier: what measuring
/// the adapter, or reviewing the labels by it, needs.
public struct AdaptedExamples {
  public let classifier: Classifier
  public let examples: Examples

  /// Runs an adapter's model over labelled texts.
  ///
  /// - Parameters:
  ///   - options: how the model is run; the method does not count.
  ///   - report: called as texts go through the model.
  /// - Throws: `badInput` where an example's label is not among the adapter's, `budgetTooSmall`
  ///   with the smallest budget that would do, and what opening the model does.
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
