import CShims
public import VDSQFormat
internal import VDSQInference

/// A model's file, mapped once and shared by everything that runs it.
///
///     let model = try Model(path: "minilm.vdsq")
///     let tickets = try TextClassifier(model: model, labels: Label.parse(list: "billing,outage"))
///     let spam = try TextClassifier(model: model, labels: Label.parse(list: "spam,ham"))
///
/// Opening a model maps its file and checks its description. Weights become resident when a
/// classifier or an embedder runs. A model can be used from several threads.
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
  /// - Throws: `missingInput` if the file cannot be read, `badInput` if it is not a valid model.
  public init(path: String) throws(VDSQError) {
    self.path = path
    descriptionOnly = try Container(path: path, kind: .model, decoding: .noWeights)
    descriptionOnly.release()
  }

  /// The description of the model: metadata, sections and tensor directory, without decoded
  /// weights.
  package var description: Container { descriptionOnly }

  /// The map for a memory policy.
  ///
  /// - Throws: `badInput` if a compressed section does not decode, `budgetTooSmall` if there is no
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
