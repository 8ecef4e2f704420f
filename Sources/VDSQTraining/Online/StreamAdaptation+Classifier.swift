package import VDSQ
package import VDSQFormat
package import VDSQSemantics

extension StreamAdaptation {
  /// A classifier by an adapter's file, and what moves the file towards the classified texts.
  ///
  /// - Parameters:
  ///   - path: the adapter; it is made of the labels if it does not exist.
  ///   - labels: if the file exists, the same labels or none.
  ///   - options: of the classifier, except `more`.
  /// - Throws: `missingInput` if the file does not exist and there are no labels; `usage` if it has
  ///   other labels or cannot be moved so, or for a language model; the errors of opening both.
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
    guard FileStamp(path: path) != nil else {
      throw VDSQError(
        .missingInput, "\(path): does not exist; --labels or --labels-file starts it")
    }
    let count = try Adapter(path: path, model: model.description).labels.count
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
