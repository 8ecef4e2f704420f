import CShims
public import VDSQFormat
internal import VDSQInference

/// A model's file, mapped once and shared by everything that runs it.
///
///     let model = try Model(path: "minilm.vdsq")
///     let tickets = try TextClassifier(model: model, labels: Label.parse(list: "billing,outage"))
///     let spam = try TextClassifier(model: model, labels: Label.parse(list: "spam,ham"))
///
/// Opening a model maps its file and checks what describes it; weights become resident when a classifier
/// or an embedder runs. A model may be used from several threads.
public final class Model: @unchecked Sendable {
  /// The file's path.
  public let path: String
  private let lock = Lock()
  // Guarded by the lock. Streaming does not decode layers, so it has a map of its own.
  private var whole: Container?
  private var streamed: Container?
  private let descriptionOnly: Container

  /// Opens a model.
  ///
  /// - Throws: `missingInput` where the file cannot be read, `badInput` where it is not a sound model.
  public init(path: String) throws(VDSQError) {
    self.path = path
    descriptionOnly = try Container(path: path, kind: .model, decoding: .noWeights)
    descriptionOnly.release()
  }

  /// What describes the model: metadata, sections and tensor directory, without decoded weights.
  package var description: Container { descriptionOnly }

  /// The map that a memory policy runs on.
  ///
  /// - Throws: `badInput` where a compressed section does not decode, `budgetTooSmall` where there is no
  ///   memory for it.
  package func container(for policy: MemoryPolicy) throws(VDSQError) -> Container {
    lock.lock()
    defer { lock.unlock() }
    let isStreamed = policy == .stream
    if let known = isStreamed ? streamed : whole { return known }
    let container = try Container(path: path, kind: .model, decoding: policy.decoding)
    if isStreamed { streamed = container } else { whole = container }
    return container
  }
}
