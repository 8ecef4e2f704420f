public import VDSQFormat
public import VDSQKernels
import VDSQTokenizers

/// A model file, ready to turn texts into states.
///
/// What a text's state is depends on the model: a sentence encoder's vector, a masked language model's
/// state at the mask token, as its head transforms it, or a causal language model's state at the last
/// token, after the final norm. Texts are added to a batch until it is full; `encode` then makes a state
/// for each. Nothing is allocated after the first batches.
public final class TextEncoder {
  public struct Options: Sendable {
    public var threads = 1
    public var precision = Precision.integer
    /// Tokens in a batch, never fewer than the longest text's.
    public var tokenCapacity = 0
    /// Texts of the longest kind that a batch has room for, at least.
    public var batch = 1
    /// Whether there is to be room for one more text of the longest kind behind a batch that keeps all
    /// threads busy: more speed where texts are short, for more memory.
    public var keepsThreadsBusy = false
    /// The most tokens of one text; nil for the model's longest sequence, or `defaultLongest` where a
    /// causal model's is longer.
    public var maximumTokens: Int?
    /// States of a sentence encoder's lower layers that follow a text's vector: an adapter may have learned from
    /// them.
    public var intermediateFeatures: [IntermediateFeature] = []
    /// What an adapter changes of a sentence encoder's weights.
    public var updates: LowRankUpdates?

    /// How layers' weights are in memory. Where they are streamed, the container need not have decoded them.
    public var policy = MemoryPolicy.resident

    public init() {}
  }

  /// What a text's state is.
  public enum Kind: Sendable {
    case sentences, masked, causal
  }

  /// Causal models keep keys and values for every token, so theirs is bounded unless asked for more.
  public static let defaultLongest = 2048

  private enum Backbone {
    case encoder(Encoder)
    case decoder(Decoder)
  }

  public let container: Container
  public let kernels: KernelTable
  public let threads: ThreadPool
  public let kind: Kind
  /// The most tokens of one text; longer ones are cut.
  public let maximumTokens: Int
  /// Numbers in a state.
  public let dimensions: Int
  public let vocabularySize: Int
  public let layers: Int
  /// What follows a sentence encoder's vector in a state.
  public var intermediateFeatures: [IntermediateFeature] { options.intermediateFeatures }
  /// What was changed of the model's weights.
  public var updates: LowRankUpdates? { options.updates }
  /// How layers' weights are in memory.
  public var policy: MemoryPolicy { options.policy }
  /// What it was made with, for another that is to run alike.
  public let options: Options
  public let tokenizer: Tokenizer
  private let backbone: Backbone
  private let hiddenSize: Int
  private var batch = TokenBatch()

  /// - Throws: `missingInput` or `badInput` for the file, `usage` for options out of range.
  public convenience init(path: String, options: Options) throws(VDSQError) {
    try self.init(try Container(path: path, kind: .model), options: options)
  }

  public init(_ container: Container, options: Options) throws(VDSQError) {
    self.container = container
    kernels = try KernelTable.select()
    guard options.threads >= 1, options.threads <= 256 else {
      throw .usage("\(options.threads) threads: from 1 to 256 are possible", .threads)
    }
    threads = ThreadPool(count: options.threads)
    self.options = options
    tokenizer = try Tokenizer(
      section: try container.bytes(of: .tokenizer), path: container.path)
    let c = try Architecture(container.metadata)
    switch c.family {
    case .causalDecoder:
      guard options.intermediateFeatures.isEmpty, options.updates == nil else {
        throw .badInput(
          "\(container.path): lower layers are read, and weights updated, of sentence encoders only"
        )
      }
      maximumTokens = try Self.longest(
        options.maximumTokens, c.maximumTokens, min(c.maximumTokens, Self.defaultLongest))
      let decoder = try Decoder(
        container, kernels: kernels, threads: threads, precision: options.precision,
        tokenCapacity: max(
          options.tokenCapacity, options.batch * maximumTokens,
          maximumTokens + (options.keepsThreadsBusy ? 32 * threads.count : 0)),
        longest: maximumTokens, policy: options.policy)
      backbone = .decoder(decoder)
      kind = .causal
      dimensions = c.vectorSize
    case .bidirectionalEncoder:
      maximumTokens = try Self.longest(options.maximumTokens, c.maximumTokens, c.maximumTokens)
      let encoder = try Encoder(
        container, kernels: kernels, threads: threads, precision: options.precision,
        tokenCapacity: max(
          options.tokenCapacity, options.batch * maximumTokens,
          options.keepsThreadsBusy ? 2 * maximumTokens : 0),
        longest: maximumTokens, intermediateFeatures: options.intermediateFeatures,
        updates: options.updates, policy: options.policy)
      encoder.maskToken = tokenizer.mask ?? -1
      backbone = .encoder(encoder)
      kind = c.pooling == .mask ? .masked : .sentences
      dimensions = encoder.plan.stateSize
    }
    (hiddenSize, layers, vocabularySize) = (c.hiddenSize, c.layers, c.vocabularySize)
    guard tokenizer.count <= vocabularySize else {
      throw .badInput("\(container.path): the tokenizer has more tokens than the embedding table")
    }
    guard kind != .masked || tokenizer.mask != nil else {
      throw .badInput(
        "\(container.path): a masked language model whose tokenizer has no mask token")
    }
  }

  private static func longest(
    _ wanted: Int?, _ model: Int, _ standard: Int
  ) throws(VDSQError) -> Int {
    let longest = wanted ?? standard
    guard longest >= 2, longest <= model else {
      throw .usage(
        "\(longest) tokens: from 2 to \(model), the model's longest sequence, are possible",
        .maximumTokens)
    }
    return longest
  }

  private var sequenceCapacity: Int {
    switch backbone {
    case .encoder(let encoder): encoder.plan.sequenceCapacity
    case .decoder(let decoder): decoder.plan.sequenceCapacity
    }
  }

  private var tokenCapacity: Int {
    switch backbone {
    case .encoder(let encoder): encoder.plan.tokenCapacity
    case .decoder(let decoder): decoder.plan.tokenCapacity
    }
  }

  /// The regions of memory that were planned when the model was opened.
  public var arena: ArenaLayout {
    switch backbone {
    case .encoder(let encoder): encoder.plan.arena
    case .decoder(let decoder): decoder.plan.arena
    }
  }

  /// Bytes of the arena that were touched so far.
  public var presentArenaBytes: Int {
    switch backbone {
    case .encoder(let encoder): encoder.presentArenaBytes
    case .decoder(let decoder): decoder.presentArenaBytes
    }
  }

  /// Texts in the current batch.
  public var count: Int { batch.sequences }

  /// Whether a text of any length still fits into the batch.
  public var hasRoom: Bool {
    batch.ids.count + maximumTokens <= tokenCapacity && batch.sequences < sequenceCapacity
  }

  /// Adds a text to the batch, which must have room.
  ///
  /// - Parameter text: UTF-8; what is invalid reads as U+FFFD.
  /// - Returns: how many tokens it has, and whether it was cut to the longest sequence.
  @discardableResult
  public func add(_ text: UnsafeRawBufferPointer) -> (tokens: Int, truncated: Bool) {
    let before = batch.ids.count
    let truncated = tokens(of: text, into: &batch.ids)
    batch.endSequence()
    return (batch.ids.count - before, truncated)
  }

  /// Whether a text is short enough not to be cut.
  public func fits(_ text: UnsafeRawBufferPointer) -> Bool {
    var ids: [Int32] = []
    return !tokens(of: text, into: &ids)
  }

  /// A text's ids as the model wants them: a masked language model's text without a mask gets one at its
  /// end, and a causal one's without any token the first of the vocabulary.
  private func tokens(of text: UnsafeRawBufferPointer, into ids: inout [Int32]) -> Bool {
    let before = ids.count
    let truncated = tokenizer.encode(text, limit: maximumTokens, into: &ids)
    if kind == .masked, let mask = tokenizer.mask, !ids[before...].contains(mask) {
      if ids.count - before == maximumTokens { ids.remove(at: ids.count - 2) }
      ids.insert(mask, at: max(before, ids.count - 1))
    }
    if kind == .causal, ids.count == before { ids.append(0) }
    return truncated
  }

  /// Calls `body` with each state of the batch, in order, and empties it.
  public func encode(
    _ body: (_ index: Int, _ state: UnsafePointer<Float>) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    defer { batch.removeAll() }
    let states = try run(batch, trace: nil)
    for i in 0..<batch.sequences { try body(i, states + i * dimensions) }
  }

  private func run(
    _ batch: TokenBatch, trace: UnsafeMutablePointer<Float>?
  ) throws(VDSQError) -> UnsafePointer<Float> {
    switch backbone {
    case .encoder(let encoder): try encoder.encode(batch, trace: trace)
    case .decoder(let decoder): try decoder.decode(batch, trace: trace)
    }
  }

  /// One text's state; the batch must be empty.
  public func vector(of text: String) throws(VDSQError) -> [Float] {
    var result = [Float](repeating: 0, count: dimensions)
    var copy = text
    _ = copy.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    try encode { _, vector in
      for i in 0..<dimensions { result[i] = vector[i] }
    }
    return result
  }

  /// A text's states after the embeddings and every layer, at every token.
  public struct Trace {
    public let ids: [Int32]
    /// One more than the model's layers: the embeddings are the first.
    public let layers: Int
    public let dimensions: Int
    /// `[layers, tokens, dimensions]`: each as the model's head reads the last layer's.
    public let states: [Float]
  }

  /// Runs one text and keeps every layer's states; the batch must be empty.
  ///
  /// States go through the final norm, or the masked head's transformation, so that all layers can be
  /// compared with the vocabulary.
  public func trace(_ text: UnsafeRawBufferPointer) throws(VDSQError) -> Trace {
    var ids: [Int32] = []
    _ = tokens(of: text, into: &ids)
    var batch = TokenBatch()
    batch.ids = ids
    batch.endSequence()
    let count = (layers + 1) * ids.count
    var raw = [Float](repeating: 0, count: count * hiddenSize)
    try raw.withUnsafeMutableBufferPointer { (raw) throws(VDSQError) in
      _ = try run(batch, trace: raw.baseAddress!)
    }
    var states = [Float](repeating: 0, count: count * dimensions)
    raw.withUnsafeBufferPointer { raw in
      states.withUnsafeMutableBufferPointer { states in
        for i in 0..<count {
          let from = raw.baseAddress! + i * hiddenSize, to = states.baseAddress! + i * dimensions
          switch backbone {
          case .encoder(let encoder): encoder.transform(from, into: to)
          case .decoder(let decoder): decoder.normalize(from, rows: 1, into: to)
          }
        }
      }
    }
    return Trace(ids: ids, layers: layers + 1, dimensions: dimensions, states: states)
  }

  /// A token's text; empty for an id that no token has. Not always whole UTF-8.
  public func token(_ id: Int32) -> [UInt8] {
    var text: [UInt8] = []
    tokenizer.appendText(of: id, to: &text)
    return text
  }

  /// The token ids of a text, those that the model wants around it included.
  public func tokens(of text: UnsafeRawBufferPointer) -> [Int32] {
    var ids: [Int32] = []
    _ = tokenizer.encode(text, limit: maximumTokens, into: &ids)
    return ids
  }
}
