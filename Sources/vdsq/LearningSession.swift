import Glibc
import VDSQConversion
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// An adapter's file that is learned on with, a change at a time: each reads it again where somebody else replaced it,
/// and replaces it in turn, under a lock.
final class LearningSession {
  private let path: String
  private let encoder: TextEncoder
  private var stamp: FileStamp?
  private var prior: RunningPrior?
  private var classifier: Classifier?

  init(path: String, encoder: TextEncoder) {
    self.path = path
    self.encoder = encoder
  }

  /// Examples that were learned.
  var count: Int { prior?.count ?? 0 }

  /// Makes the file where there is none.
  ///
  /// - Throws: `usage` where it exists and has other labels.
  func begin(_ labels: LabelSet) throws(VDSQError) {
    guard FileStamp(path: path) != nil else {
      return try save(RunningPrior(labels: labels, kernels: encoder.kernels), replace: false)
    }
    let there = try Adapter(path: path, model: encoder.container).labels.names
    guard Set(there) == Set(labels.names) else {
      throw .usage(
        "\(path): exists and has other labels (\(there.joined(separator: ", "))); --add-labels adds to them"
      )
    }
  }

  /// Learns an example.
  ///
  /// - Returns: what it was taken for before.
  /// - Throws: `badInput` where the label is not one of the file's.
  func learn(
    _ example: Examples.Example, context: String
  ) throws(VDSQError) -> (label: String, probability: Float) {
    let state = try encoder.vector(of: example.text)
    var taken = (label: "", probability: Float(0))
    try change { (prior, classifier) throws(VDSQError) in
      let target = try self.index(of: example.label, prior, context)
      classifier.classify(state, top: 1)
      let best = classifier.ranking[0]
      taken = (classifier.labels.names[best], classifier.probabilities[best])
      try prior.learn(state, target)
    }
    return taken
  }

  /// Takes back the last example.
  ///
  /// - Returns: its label.
  /// - Throws: `usage` where there is none left that could be taken back.
  func undo() throws(VDSQError) -> String {
    var name = ""
    try change { (prior, _) throws(VDSQError) in
      guard let label = prior.undo() else {
        throw .usage(
          "\(self.path): no example is left to take back; only the last \(RunningPrior.undoable) can be"
        )
      }
      name = prior.labels.names[label]
    }
    return name
  }

  func forget(_ label: String) throws(VDSQError) {
    try change { (prior, _) throws(VDSQError) in
      try prior.forget(try self.index(of: label, prior, "--forget"))
    }
  }

  func add(_ label: LabelSet) throws(VDSQError) {
    try change { (prior, _) throws(VDSQError) in try prior.add(label) }
  }

  private func index(
    of label: String, _ prior: RunningPrior, _ context: String
  ) throws(VDSQError) -> Int {
    guard let index = prior.labels.names.firstIndex(of: label) else {
      throw .badInput(
        "\(context): \(label) is not among the labels of \(path): "
          + "\(prior.labels.names.joined(separator: ", ")); --add-labels adds it")
    }
    return index
  }

  private func change(
    _ body: (inout RunningPrior, Classifier) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    // The folder's lock: the file itself is another after each change.
    let folder = open(AtomicFile.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 { flock(folder, LOCK_EX) }
    defer { if folder >= 0 { close(folder) } }
    let now = FileStamp(path: path)
    if prior == nil || now != stamp {
      prior = try RunningPrior(path: path, model: encoder.container, kernels: encoder.kernels)
      guard prior!.labels.dimensions == encoder.dimensions else {
        throw .badInput("\(path): the adapter's dimensions are not the model's")
      }
      stamp = now
      classifier = nil
    }
    // What cannot be saved is not learned either.
    var changed = prior!
    var judge = classifier
    if judge == nil {
      judge = try self.judge(by: try changed.adapter(modelIdentity: encoder.container.identity))
    }
    try body(&changed, judge!)
    try save(changed, replace: true)
  }

  private func judge(by adapter: Adapter) throws(VDSQError) -> Classifier {
    try Classifier(labels: adapter.labels, adapter: adapter, kernels: encoder.kernels)
  }

  private func save(_ changed: RunningPrior, replace: Bool) throws(VDSQError) {
    let adapter = try changed.write(
      to: path, modelIdentity: encoder.container.identity, replace: replace)
    prior = changed
    stamp = FileStamp(path: path)
    classifier = try judge(by: adapter)
  }
}
