import CShims
package import VDSQFormat
import VDSQInference
public import VDSQSemantics

/// A model's file, mapped once and shared by everything that runs it.
///
///     let model = try Model(path: "minilm.vdsq")
///     let tickets = try TextClassifier(model: model, labels: Label.parse(list: "billing,outage"))
///     let spam = try TextClassifier(model: model, labels: Label.parse(list: "spam,ham"))
///
/// Opening a model maps its file and checks its description. Weights become resident when a
/// classifier or an embedder runs. A model can be used from several threads.
public final class Model: @unchecked Sendable {
  /// A map of the file, and whether the pages that opening touched were released.
  private struct Map {
    let container: Container
    var isSettled = false
  }

  /// The file's path.
  public let path: String
  private let lock = Lock()
  /// Held while an encoder is opened.
  let opening = Lock()
  // Guarded by the lock. Streaming does not decode layers, so it has a map of its own.
  private var whole: Map?
  private var streamed: Map?
  // Until one of the others is there.
  private var descriptionOnly: Container?

  /// Opens a model.
  ///
  /// - Throws: `missingInput` if the file cannot be read, `badInput` if it is not a valid model.
  public init(path: String) throws(VDSQError) {
    self.path = path
    descriptionOnly = try Container(path: path, kind: .model, decoding: .noWeights)
  }

  /// Reads a repair that `vdsq repair` made for this model, for `RunOptions.repair`.
  ///
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it was made for another
  ///   model.
  public func repair(path: String) throws(VDSQError) -> Repair {
    try Repair(path: path, model: description)
  }

  /// The description of the model: metadata, sections and tensor directory. Weights may not be
  /// decoded.
  package var description: Container {
    lock.lock()
    defer { lock.unlock() }
    return (whole?.container ?? streamed?.container ?? descriptionOnly)!
  }

  /// The map for a memory policy.
  ///
  /// - Throws: `badInput` if a compressed section does not decode, `budgetTooSmall` if there is no
  ///   memory for it.
  package func container(for policy: MemoryPolicy) throws(VDSQError) -> Container {
    lock.lock()
    defer { lock.unlock() }
    let isStreamed = policy == .stream
    if let known = isStreamed ? streamed : whole { return known.container }
    // Checking a file's sections takes a large part of a start, so the first map is used again.
    let container =
      if let descriptionOnly, descriptionOnly.has(policy.decoding) { descriptionOnly } else {
        try Container(path: path, kind: .model, decoding: policy.decoding)
      }
    if isStreamed {
      streamed = Map(container: container)
    } else {
      whole = Map(container: container)
    }
    descriptionOnly = nil
    return container
  }

  /// Releases the pages that opening touched, once for each map: later users would lose pages that
  /// they have in use.
  func settle(_ policy: MemoryPolicy) {
    lock.lock()
    defer { lock.unlock() }
    let map = policy == .stream ? streamed : whole
    guard let map, !map.isSettled else { return }
    map.container.release()
    if policy == .stream { streamed?.isSettled = true } else { whole?.isSettled = true }
  }
}
