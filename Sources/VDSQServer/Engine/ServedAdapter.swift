import VDSQ
import VDSQFormat
import VDSQSemantics

/// An adapter of a served model, read from its file. Only the engine uses it.
final class ServedAdapter {
  /// What clients are told about an adapter.
  struct Description: Sendable {
    let name: String
    let model: String
    let labels: [String]
    let outOfScope: String?
    /// Whether a text may have any number of labels.
    let isMultiLabel: Bool
    /// Whether it is in the state directory, where requests may change it.
    let isChangeable: Bool
    let path: String
  }

  let name: String
  let model: ServedModel
  let path: String
  let isChangeable: Bool
  let classifier: ServedClassifier
  var file: FollowedFile

  /// - Parameters:
  ///   - source: the file to read now.
  ///   - path: the file that is followed.
  /// - Throws: `RequestError` if the file cannot be read or used.
  init(
    _ name: String, reading source: String, path: String, model: ServedModel, isChangeable: Bool,
    file: FollowedFile,
    room: (Int) throws(RequestError) -> Void
  ) throws(RequestError) {
    (self.name, self.path, self.model) = (name, path, model)
    (self.isChangeable, self.file) = (isChangeable, file)
    let adapter: Adapter
    do { adapter = try Adapter(path: source, model: model.base.encoder.container) } catch {
      throw RequestError(causedBy: error)
    }
    try room(adapter.bytes)
    let lane = try model.lane(for: adapter, room: room)
    do {
      classifier = try ServedClassifier(
        try Classifier(adapter: adapter, kernels: lane.encoder.kernels), lane: lane, name: name,
        adapter: adapter)
    } catch { throw RequestError(causedBy: error) }
  }

  /// The classifier with another temperature.
  func classifier(_ temperature: Float?) throws(RequestError) -> ServedClassifier {
    guard let temperature else { return classifier }
    do {
      return try ServedClassifier(
        try Classifier(
          adapter: classifier.adapter!, temperature: temperature,
          kernels: classifier.lane.encoder.kernels),
        lane: classifier.lane, name: name, adapter: classifier.adapter)
    } catch { throw RequestError(causedBy: error) }
  }

  var description: Description {
    let labels = classifier.classifier.labels
    return Description(
      name: name, model: model.name, labels: labels.names, outOfScope: labels.outOfScopeName,
      isMultiLabel: classifier.classifier.thresholds != nil, isChangeable: isChangeable,
      path: path)
  }
}
