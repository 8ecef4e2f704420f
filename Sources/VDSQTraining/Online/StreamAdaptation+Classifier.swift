package import VDSQ
package import VDSQFormat
package import VDSQSemantics

extension StreamAdaptation {
  /// A classifier by an adapter's file, and what moves the file towards the classified texts.
  ///
  /// - Parameters:
  ///   - path: the adapter; it is made of the labels if it does not exist.
  ///   - labels: of a file that does not exist; the same ones or none if it does.
  ///   - options: of the classifier, except `more`.
  /// - Throws: `usage` if the file has other labels, cannot be moved so, or has too many labels, or
  ///   for a language model; the errors of opening both.
  package static func classifier(
    _ path: String, model: Model, labels: LabelSource, options: TextClassifier.Options
  ) throws(VDSQError) -> (TextClassifier, StreamAdaptation) {
    let d = try OutputModules.vectorSize(model.description)
    let named = labels.isEmpty ? nil : try labels.readChoice()
    var options = options
    if let named {
      let encoder = try OnlineLearner.encoder(for: path, model: model, run: options.run)
      guard encoder.kind == .sentences else {
        throw .usage("\(path): only a sentence encoder's adapter can be moved by a stream")
      }
      try OnlineLearner(path: path, encoder: encoder).begin(
        try LabelSet(named, encoder: encoder, template: options.template))
    }
    let count = try Adapter(path: path, model: model.description).labels.count
    guard count <= Hyperparameters.Unlabelled.mostLabels else {
      throw .usage(
        "\(path): \(counted(count, "label")); texts without labels help up to "
          + "\(Hyperparameters.Unlabelled.mostLabels)")
    }
    options.more += bytes(labels: count, dimensions: options.run.dimensions ?? d)
    let classifier = try TextClassifier(model: model, adapterFile: path, options: options)
    var learner: OnlineLearner?
    try classifier.withEncoder { encoder, _ in
      learner = OnlineLearner(path: path, encoder: encoder)
    }
    try learner!.checkStream()
    return (classifier, StreamAdaptation(learner!))
  }
}
