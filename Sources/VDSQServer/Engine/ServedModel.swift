import Glibc
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// A model that is served, with its encoders. All but `name`, `path` and `description` is the
/// engine's own.
final class ServedModel: @unchecked Sendable {
  /// What clients are told about a model.
  struct Description: Sendable {
    let name: String
    let model: Model
    let kind: TextEncoder.Kind
    /// The bytes that a further encoder takes.
    let arenaBytes: Int
    let vocabularySize: Int
    /// When its file was written, in seconds since 1970.
    let created: Int
    let dimensions: Int
    let maximumTokens: Int
    let elements: String
    /// Whether vectors have length 1 by the model's own configuration.
    let normalizes: Bool
    /// The labels of the head that the model was trained with; none without one.
    let labels: [String]
    /// Whether it scores pairs of texts.
    let ranks: Bool
    let readsPairs: Bool
    /// Whether its labels are those of natural language inference.
    let entails: Bool
    let prompts: [String]
    let pooling: String
    /// How layers are kept in memory.
    let policy: MemoryPolicy
    /// Whether it is a causal language model, which continues texts.
    let writes: Bool
    /// Whether it answers chats.
    let chats: Bool
  }

  let name: String
  let path: String
  let description: Description
  let model: Model
  let base: Lane
  private(set) var lanes: [Lane]
  let head: ModelHead?
  var labels = LabelCache()
  private var ownClassifier: ServedClassifier?

  /// The most encoders beside the first one: each has an arena.
  static let mostFurtherLanes = 3

  /// - Parameter run: how the model is run; its budget has room for what is beside the model.
  /// - Throws: the errors of opening the model.
  init(
    _ name: String, path: String, run: RunOptions, more: Int
  ) throws(VDSQError) {
    (self.name, self.path) = (name, path)
    model = try Model(path: path)
    let encoder = try model.encoder(try model.encoderOptions(run, more: more))
    // Opening touches more pages than are used afterwards.
    encoder.container.release()
    base = Lane(encoder)
    lanes = []
    let metadata = encoder.container.metadata
    let architecture = try Architecture(metadata)
    let head = try ModelHead(encoder.container, kernels: encoder.kernels)
    self.head = head
    let isOfTexts = head?.description.reading == .texts
    description = Description(
      name: name, model: model, kind: encoder.kind, arenaBytes: encoder.arena.length,
      vocabularySize: encoder.vocabularySize, created: Self.date(path),
      dimensions: encoder.dimensions,
      maximumTokens: encoder.maximumTokens,
      elements: Self.elements(encoder.container),
      normalizes: architecture.normalize || architecture.modules.last == .normalize,
      labels: isOfTexts ? head!.description.labels : [],
      ranks: isOfTexts && head!.description.rankingFunction != nil && encoder.pairFrame != nil,
      readsPairs: encoder.pairFrame != nil,
      entails: isOfTexts
        && head!.description.labels.contains { $0.lowercased().hasPrefix("entail") },
      prompts: try Prompts(metadata).all.map(\.name),
      pooling: "\(architecture.pooling)", policy: encoder.policy, writes: encoder.kind == .causal,
      chats: encoder.kind == .causal && ChatFormat(metadata) != nil)
  }

  private static func date(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
  }

  /// The type of most weights.
  private static func elements(_ container: Container) -> String {
    var bytes: [String: Int] = [:]
    for tensor in container.tensors { bytes["\(tensor.element)", default: 0] += tensor.dataLength }
    return bytes.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? "float32"
  }

  /// The classifier of the head that the model was trained with.
  func own() throws(RequestError) -> ServedClassifier {
    if let ownClassifier { return ownClassifier }
    do throws(VDSQError) {
      let head = try ModelHead.ofTexts(base.encoder.container, kernels: base.encoder.kernels)
      let made = try ServedClassifier(
        try Classifier(modelHead: head, kernels: base.encoder.kernels), lane: base, name: name)
      ownClassifier = made
      return made
    } catch {
      throw RequestError(
        .model,
        "\(name): the model has no head that classifies texts; name labels or an adapter")
    }
  }

  /// The classifier of labels that were used before.
  func known(_ request: LabelRequest, _ temperature: Float?) -> ServedClassifier? {
    labels.find(Self.key(request, temperature))
  }

  private static func key(_ request: LabelRequest, _ temperature: Float?) -> String {
    (temperature.map { "\($0)" } ?? "") + "\u{1D}" + request.key
  }

  /// Encodes label words. The batch of the lane must be empty.
  ///
  /// - Parameter room: throws if so many further bytes do not fit the budget.
  func classifier(
    of request: LabelRequest, _ temperature: Float?, room: (Int) throws(RequestError) -> Void
  ) throws(RequestError) -> ServedClassifier {
    do throws(VDSQError) {
      let made: ServedClassifier
      if request.usesEntailment {
        let encoder = base.encoder
        let entailment = try Entailment(
          request.labels, head: try ModelHead.ofTexts(encoder.container, kernels: encoder.kernels),
          template: request.template, isMultiLabel: request.isMultiLabel, path: name)
        made = try ServedClassifier(
          try Classifier(
            labels: request.labels, entailment: entailment, dimensions: encoder.dimensions,
            template: nil, temperature: temperature, kernels: encoder.kernels),
          lane: base, name: nil)
      } else {
        try Label.checkChoice(request.labels)
        let continuations = try TextClassifier.continuations(of: request.labels, model)
        let lane: Lane
        do throws(RequestError) {
          lane = try self.lane(for: continuations, room: room)
        } catch { return try Self.refuse(error) }
        try lane.encoder.use(prompt: lane.encoder.options.prompt)
        let set = try LabelSet(request.labels, encoder: lane.encoder, template: request.template)
        made = try ServedClassifier(
          try Classifier(
            labels: set, temperature: temperature, kernels: lane.encoder.kernels),
          lane: lane, name: nil)
      }
      labels.add(Self.key(request, temperature), made)
      return made
    } catch {
      throw RequestError(causedBy: error)
    }
  }

  private static func refuse(_ error: RequestError) throws(VDSQError) -> ServedClassifier {
    throw VDSQError(.budgetTooSmall, error.message)
  }

  private func lane(
    for continuations: TokenTree.Size, room: (Int) throws(RequestError) -> Void
  ) throws(RequestError) -> Lane {
    if let lane = ([base] + lanes).first(where: { $0.serves(continuations) }) { return lane }
    var options = base.encoder.options
    options.continuations = continuations
    return try open(options, room: room)
  }

  /// A lane for an adapter; opens one if there is none yet.
  func lane(
    for adapter: Adapter, room: (Int) throws(RequestError) -> Void
  ) throws(RequestError) -> Lane {
    if let lane = ([base] + lanes).first(where: { $0.serves(adapter) }) { return lane }
    var options = base.encoder.options
    options.prompt = nil
    options.dimensions = nil
    do { try adapter.complete(&options) } catch { throw RequestError(causedBy: error) }
    let lane = try open(options, room: room)
    guard lane.serves(adapter) else {
      lanes.removeAll { $0 === lane }
      throw RequestError(.invalid, "\(name): the adapter's dimensions are not the model's")
    }
    return lane
  }

  private func open(
    _ options: TextEncoder.Options, room: (Int) throws(RequestError) -> Void
  ) throws(RequestError) -> Lane {
    guard lanes.count < Self.mostFurtherLanes else {
      throw RequestError(
        .memory,
        "the adapters and labels of \(name) need more than \(Self.mostFurtherLanes) further encoders;"
          + " remove some, or train with \"method\": \"prior\"")
    }
    let encoder = base.encoder
    try room(
      encoder.arena.length + options.comparedBytes(of: encoder.container, options.policy))
    do {
      let lane = Lane(try model.encoder(options))
      lanes.append(lane)
      return lane
    } catch { throw RequestError(causedBy: error) }
  }

  /// Closes encoders that nobody uses any more.
  func close(except used: [Lane]) {
    lanes.removeAll { lane in !used.contains { $0 === lane } && !isReferenced(lane) }
  }

  private func isReferenced(_ lane: Lane) -> Bool { labels.uses(lane) }

  /// Releases the pages of weights, which come back when they are needed.
  func rest() { base.encoder.container.release() }
}
