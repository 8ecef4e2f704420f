public import VDSQFormat
package import VDSQKernels
package import VDSQTokenizers

/// A model that turns texts into states.
///
/// The state of a text depends on the model: the vector of a sentence encoder, the state of a
/// masked language model at the mask token, as its head transforms it, or the state of a causal
/// language model at the last token, after the final norm. A model's default prompt precedes every
/// text. Texts are added to a batch until it is full; `encode` then computes a state for each.
/// Nothing is allocated after the first batches.
public final class TextEncoder {
  /// How a model is run. The defaults run one text at a time, in one thread.
  public struct Options: Sendable {
    /// The number of threads, the calling one included, from 1 to 256.
    public var threads = 1
    /// The arithmetic of int8 weights.
    public var precision = Precision.integer
    /// The number of tokens in a batch, at least that of the longest text.
    public var tokenCapacity = 0
    /// The minimum number of texts of maximum length that fit a batch.
    public var batch = 1
    /// Whether one more text of maximum length fits behind a batch that keeps all threads busy.
    /// This is faster for short texts and takes more memory.
    public var keepsThreadsBusy = false
    /// The maximum number of tokens of a text. Nil means the model's longest sequence, but at most
    /// `defaultLongest` for causal models.
    public var maximumTokens: Int?
    /// Intermediate layers of a sentence encoder whose states are appended to the vector of a text.
    /// An adapter may have been trained on them.
    public var intermediateFeatures: [IntermediateFeature] = []
    /// Low-rank updates of a sentence encoder's weights; nil for none.
    package var updates: LowRankUpdates?
    /// Updates of the down projections of a causal model; nil for none.
    package var neuronUpdates: NeuronUpdates?
    /// The tokens that may follow a text of a causal language model, or the states at further masks
    /// of a masked one.
    package var continuations = TokenTree.Size()

    /// The number of texts of a causal language model that can go on, for which keys and values of
    /// all layers are kept. If it is not 0, no other texts are read.
    package var keptTexts = 0

    /// The numbers of those keys and values.
    package var keyPrecision = KeyPrecision.float32

    /// The rows of the vocabulary with which states are compared, for the memory plan.
    package var comparedRows = ComparedRows.none

    /// The number of dimensions that the vector of a sentence encoder is cut to (Matryoshka
    /// representations); it is scaled to length 1 again if the model's vectors are. Nil for all.
    public var dimensions: Int?
    /// The name of the model's prompt that precedes every text; nil for the model's default.
    public var prompt: String?

    /// How layers are kept in memory. If they are streamed, the container need not have decoded
    /// them.
    public var policy = MemoryPolicy.resident

    /// The defaults: one thread, integer arithmetic, one text per batch, all layers resident.
    public init() {}
  }

  /// Which rows of the vocabulary states are compared with, all of them for each state.
  package enum ComparedRows: Sendable {
    /// `head`: those of the LM head. `all`: those of the LM head, of bases and of word embeddings.
    case none, head, all
  }

  /// The kind of a text's state.
  public enum Kind: Sendable {
    /// `sentences`: the vector of a sentence encoder. `masked`: the state at the mask token.
    /// `causal`: the state at the last token.
    case sentences, masked, causal
  }

  /// Which mask token of a text a masked language model reads.
  public enum MaskPlace: Sendable {
    /// The first one, or one that is appended to a text without a mask.
    case first
    /// The last one.
    case last
  }

  /// The limit of causal models, which keep keys and values for every token. An explicit limit
  /// overrides it.
  public static let defaultLongest = 2048

  private enum Backbone {
    case encoder(Encoder)
    case decoder(Decoder)
  }

  /// The model's file.
  package let container: Container
  /// The kernels for this CPU, or those that the environment variable `VDSQ_ISA` names.
  package let kernels: KernelTable
  /// The threads that share each forward pass. Other work may use them between passes.
  package let threads: ThreadPool
  /// What the state of a text is for this model.
  public let kind: Kind
  /// The maximum number of tokens of a text; longer texts are truncated.
  public let maximumTokens: Int
  /// The number of dimensions of a state.
  public let dimensions: Int
  /// The number of rows of the embedding table, at least the number of the tokenizer's tokens.
  public let vocabularySize: Int
  /// The number of transformer layers; the embeddings are not counted.
  public let layers: Int
  /// The intermediate features that follow the vector of a sentence encoder in a state.
  public var intermediateFeatures: [IntermediateFeature] { options.intermediateFeatures }
  /// The low-rank updates of the weights.
  package var updates: LowRankUpdates? { options.updates }
  /// How layers are kept in memory.
  public var policy: MemoryPolicy { options.policy }
  /// Whether linear layers round the activations that they read.
  package var roundsActivations: Bool {
    options.precision == .integer
      && container.tensors.contains { $0.order.isPanels && $0.element.hasScales }
  }
  /// The options of this encoder, for another that should run alike.
  public let options: Options
  /// The tokenizer from the model's file.
  package let tokenizer: Tokenizer
  private let backbone: Backbone
  /// What follows the pooling of a sentence encoder; nil for nothing.
  private let projection: VectorProjection?
  /// The number of floats of a pooled state, before the projection.
  private let stateSize: Int
  private let pooling: Pooling
  private let hasSeveralPoolings: Bool
  /// The special tokens around pairs of texts; nil if the model reads none.
  package let pairFrame: PairFrame?
  /// The number of dimensions of the states of layers.
  public let hiddenSize: Int
  /// The UTF-8 that precedes every text; empty for no prompt.
  private var prompt: [UInt8] = []
  /// The number of first tokens that are not pooled, because they are the prompt's.
  private var skippedTokens = 0
  /// Whether the tokens of a prompt are pooled.
  private let includesPrompt: Bool
  /// Whether special tokens are added around a text.
  private let framesTexts: Bool
  /// A token that is left out of texts; nil for none.
  private let droppedToken: Int32?
  /// The maximum number of Unicode scalars of a text; nil for any.
  private let maximumCharacters: Int?
  /// The prompt followed by the current text.
  private var prompted: [UInt8] = []
  private var batch = TokenBatch()
  /// A text of the batch with what may follow it.
  private var text = TokenBatch()
  /// The ids of texts that go on, by their places.
  private var continued: [[Int32]]
  /// The state of a text, and those at further masks.
  private var filled: [Float]
  private var firstIDs: [Int32] = []
  private var secondIDs: [Int32] = []

  /// - Throws: `missingInput` or `badInput` for the file, `usage` for options out of range.
  public convenience init(path: String, options: Options) throws(VDSQError) {
    try self.init(try Container(path: path, kind: .model), options: options)
  }

  /// Opens a model whose container is mapped already.
  ///
  /// - Throws: `badInput` if the container is not a model that this program runs, `usage` for
  ///   options out of range.
  package init(_ container: Container, options: Options) throws(VDSQError) {
    self.container = container
    kernels = try KernelTable.select()
    guard options.threads >= 1, options.threads <= 256 else {
      throw .usage("\(counted(options.threads, "thread")): from 1 to 256 are possible", .threads)
    }
    threads = ThreadPool(count: options.threads)
    self.options = options
    continued = Array(repeating: [], count: options.keptTexts)
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
      let room = c.maximumTokens - options.continuations.depth
      guard room >= 2 else {
        throw .usage(
          "a label's word has more tokens than \(container.path) has positions")
      }
      maximumTokens = min(
        room,
        try Self.longest(
          options.maximumTokens, c.maximumTokens, min(c.maximumTokens, Self.defaultLongest)))
      let decoder = try Decoder(
        container, kernels: kernels, threads: threads, precision: options.precision,
        tokenCapacity: Self.tokenCapacity(options, c, maximumTokens),
        longest: maximumTokens, keptTexts: options.keptTexts,
        keyPrecision: options.keyPrecision, continuations: options.continuations,
        policy: options.policy)
      backbone = .decoder(decoder)
      filled = []
      kind = c.pooling == .nextToken ? .causal : .sentences
      stateSize = c.vectorSize
    case .bidirectionalEncoder:
      // Further masks take the place of text.
      let longest = try Self.longest(options.maximumTokens, c.maximumTokens, c.maximumTokens)
      maximumTokens = longest - options.continuations.depth
      guard maximumTokens >= 2 else {
        throw .usage("a label's word has too many tokens for texts of \(longest)")
      }
      filled = [Float](
        repeating: 0,
        count: (options.continuations.nodes + 1) * (c.pooling == .mask ? c.vectorSize : 0))
      let encoder = try Encoder(
        container, kernels: kernels, threads: threads, precision: options.precision,
        tokenCapacity: Self.tokenCapacity(options, c, longest),
        longest: longest, intermediateFeatures: options.intermediateFeatures,
        updates: options.updates, policy: options.policy)
      backbone = .encoder(encoder)
      kind = c.pooling == .mask ? .masked : .sentences
      stateSize = encoder.plan.stateSize
    }
    (pooling, hasSeveralPoolings) = (c.pooling, !c.morePoolings.isEmpty)
    framesTexts = c.framesTexts
    droppedToken = c.droppedToken.map { Int32($0) }
    maximumCharacters = c.maximumCharacters
    pairFrame = try PairFrame(container.metadata, c)
    (hiddenSize, layers, vocabularySize) = (c.hiddenSize, c.layers, c.vocabularySize)
    projection = try VectorProjection(
      container, c, dimensions: options.dimensions, appended: stateSize - c.vectorSize,
      kernels: kernels)
    dimensions = projection?.dimensions ?? stateSize
    guard options.prompt == nil || kind == .sentences else {
      throw .usage("\(container.path): a language model has no prompts by name", .prompt)
    }
    includesPrompt = c.includesPrompt
    guard tokenizer.count <= vocabularySize else {
      throw .badInput("\(container.path): the tokenizer has more tokens than the embedding table")
    }
    guard kind != .masked || tokenizer.mask != nil else {
      throw .badInput(
        "\(container.path): a masked language model whose tokenizer has no mask token")
    }
    try use(prompt: options.prompt)
    if let updates = options.neuronUpdates { try update(updates) }
  }

  /// Changes the down projections of a causal model from the next batch on; nil to none.
  ///
  /// - Throws: `badInput` if the model is another one, or does not have such layers.
  package func update(_ updates: NeuronUpdates?) throws(VDSQError) {
    guard case .decoder(let decoder) = backbone else {
      throw .badInput("\(container.path): only weights of causal models are repaired")
    }
    try decoder.update(updates)
  }

  /// Puts another of the model's prompts before the texts that are added from now on. The batch
  /// must be empty.
  ///
  /// - Parameter name: nil for the model's default prompt.
  /// - Throws: `usage` if the model has no prompt of this name.
  package func use(prompt name: String?) throws(VDSQError) {
    guard name == nil || kind == .sentences else {
      throw .usage("\(container.path): a language model has no prompts by name", .prompt)
    }
    prompt =
      kind == .sentences
      ? Array(try Prompts(container.metadata).text(name, container.path).utf8) : []
    skippedTokens =
      includesPrompt || prompt.isEmpty
      ? 0 : Self.length(ofPrompt: prompt, tokenizer, limit: maximumTokens)
    switch backbone {
    case .encoder(let encoder): encoder.skippedTokens = skippedTokens
    case .decoder(let decoder): decoder.skippedTokens = skippedTokens
    }
  }

  /// The number of tokens of a prompt that are not pooled, the special ones before it included.
  private static func length(
    ofPrompt prompt: [UInt8], _ tokenizer: Tokenizer, limit: Int
  ) -> Int {
    var ids: [Int32] = []
    _ = prompt.withUnsafeBytes { tokenizer.encode($0, limit: limit, into: &ids) }
    return ids.count - min(1, tokenizer.frameLengths.after)
  }

  /// The number of tokens of a batch of texts of at most `longest` tokens.
  private static func tokenCapacity(
    _ options: Options, _ c: Architecture, _ longest: Int
  ) -> Int {
    let isDecoder = c.family == .causalDecoder
    if isDecoder, options.keptTexts > 0 { return max(longest, options.keptTexts) }
    let busy = isDecoder ? longest + DecoderPlan.workerRows * options.threads : 2 * longest
    return max(
      options.tokenCapacity, options.batch * longest, options.keepsThreadsBusy ? busy : 0)
  }

  private static func longest(
    _ wanted: Int?, _ model: Int, _ standard: Int
  ) throws(VDSQError) -> Int {
    let longest = wanted ?? standard
    guard longest >= 2, longest <= model else {
      throw .usage(
        "\(counted(longest, "token")): from 2 to \(model), the model's longest sequence, are possible",
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

  /// The memory regions that were planned when the model was opened.
  package var arena: ArenaLayout {
    switch backbone {
    case .encoder(let encoder): encoder.plan.arena
    case .decoder(let decoder): decoder.plan.arena
    }
  }

  /// The memory regions that would be planned if texts were cut to a number of tokens.
  package func arena(maximumTokens: Int) -> ArenaLayout {
    switch backbone {
    case .encoder(let encoder):
      encoder.plan(
        tokenCapacity: Self.tokenCapacity(options, encoder.architecture, maximumTokens),
        longest: maximumTokens
      ).arena
    case .decoder(let decoder):
      decoder.plan(
        tokenCapacity: Self.tokenCapacity(options, decoder.architecture, maximumTokens),
        longest: maximumTokens
      ).arena
    }
  }

  /// The number of touched bytes of the arena.
  package var presentArenaBytes: Int {
    switch backbone {
    case .encoder(let encoder): encoder.presentArenaBytes
    case .decoder(let decoder): decoder.presentArenaBytes
    }
  }

  /// Shows the inputs of linear layers to an observer from the next batch on; nil to none. The
  /// encoder must have one thread.
  package func show(inputsTo observer: InputObserver?) {
    switch backbone {
    case .encoder(let encoder): encoder.observer = observer
    case .decoder(let decoder): decoder.observer = observer
    }
  }

  /// What is added to the states of a layer; nil for nothing.
  public var steering: Steering? {
    switch backbone {
    case .encoder(let encoder): encoder.steering
    case .decoder(let decoder): decoder.steering
    }
  }

  /// Changes the states of a layer from the next batch on; nil changes none.
  ///
  /// - Throws: `usage` if the model has no such layer, or the shift another number of dimensions.
  public func steer(_ steering: Steering?) throws(VDSQError) {
    if let steering {
      guard steering.layer >= 0, steering.layer <= layers else {
        throw .usage(
          "steering: the model has no layer \(steering.layer); layers are 1 to \(layers), and 0 "
            + "the embeddings")
      }
      guard steering.shift.count == hiddenSize,
        steering.removals.allSatisfy({ $0.direction.count == hiddenSize })
      else {
        throw .usage(
          "steering: a direction of \(counted(steering.shift.count, "dimension")); the layers of "
            + "\(container.path) have \(hiddenSize)")
      }
    }
    setSteering(steering)
  }

  private func setSteering(_ steering: Steering?) {
    switch backbone {
    case .encoder(let encoder): encoder.steering = steering
    case .decoder(let decoder): decoder.steering = steering
    }
  }

  /// Runs `body` while no layer is steered.
  package func unsteered<Result>(
    _ body: () throws(VDSQError) -> Result
  ) throws(VDSQError) -> Result {
    let own = steering
    setSteering(nil)
    defer { setSteering(own) }
    return try body()
  }

  /// The number of texts in the current batch.
  public var count: Int { batch.sequences }

  /// Whether a text of any length still fits into the batch.
  public var hasRoom: Bool {
    batch.ids.count + maximumTokens <= tokenCapacity && batch.sequences < sequenceCapacity
  }

  /// Adds a text to the batch, which must have room.
  ///
  /// - Parameters:
  ///   - text: UTF-8. Invalid bytes become U+FFFD.
  ///   - mask: the mask token at which a masked language model reads the state.
  /// - Returns: the number of tokens, and whether the text was truncated to the longest sequence.
  @discardableResult
  public func add(
    _ text: UnsafeRawBufferPointer, mask place: MaskPlace = .first
  ) -> (tokens: Int, truncated: Bool) {
    let before = batch.ids.count
    let truncated = tokens(of: text, into: &batch.ids)
    batch.endSequence(statePosition: mask(in: batch.ids, from: before, place))
    return (batch.ids.count - before, truncated)
  }

  /// Adds a text whose token ids are known to the batch, which must have room. The special tokens
  /// around a text are added unless both are there.
  ///
  /// - Returns: as for a text.
  /// - Throws: `usage` if an id is not in the vocabulary, a prompt precedes texts, or a masked
  ///   language model finds no mask.
  package func add(ids: [Int32]) throws(VDSQError) -> (tokens: Int, truncated: Bool) {
    guard prompt.isEmpty else {
      throw .usage("token ids are read without a prompt; name an empty one, or send text", .prompt)
    }
    for id in ids where id < 0 || Int(id) >= tokenizer.count {
      throw .usage("\(id) is no token; ids from 0 to \(tokenizer.count - 1) are possible")
    }
    var frame: [Int32] = []
    _ = tokenizer.encode(
      UnsafeRawBufferPointer(start: nil, count: 0), limit: maximumTokens, into: &frame)
    let lengths = tokenizer.frameLengths
    let before = frame.prefix(lengths.before), after = frame.suffix(lengths.after)
    let isFramed =
      ids.count >= frame.count && ids.starts(with: before) && ids.suffix(after.count) == after
    let own = isFramed ? ids.dropFirst(before.count).dropLast(after.count) : ids[...]
    let kept = own.prefix(maximumTokens - before.count - after.count)
    let start = batch.ids.count
    batch.ids.append(contentsOf: before)
    batch.ids.append(contentsOf: kept)
    batch.ids.append(contentsOf: after)
    if batch.ids.count == start { batch.ids.append(0) }
    let place = mask(in: batch.ids, from: start, .first)
    guard kind != .masked || place != nil else {
      batch.ids.removeSubrange(start...)
      throw .usage("token ids for a masked language model need the mask token")
    }
    batch.endSequence(statePosition: place)
    return (batch.ids.count - start, kept.count < own.count)
  }

  /// How a pair of texts is cut that is too long.
  package enum PairCut: Sendable {
    /// The longer text loses tokens until both are equally long, then both do (`longest_first`).
    case longestFirst
    /// The first text alone (`only_first`).
    case onlyFirst
  }

  /// Adds a pair of texts, which the model reads as one sequence, to the batch, which must have
  /// room. A prompt precedes the first text.
  ///
  /// - Parameters: UTF-8. Invalid bytes become U+FFFD.
  /// - Returns: the number of tokens, and whether a text was truncated.
  /// - Throws: `usage` if the model has no frame for pairs, or the second text leaves no room for
  ///   the first one although the first one alone is to be cut.
  package func add(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, cut: PairCut = .longestFirst
  ) throws(VDSQError) -> (tokens: Int, truncated: Bool) {
    guard let frame = pairFrame, maximumTokens > frame.count else {
      throw .usage("\(container.path): the model does not read pairs of texts")
    }
    let room = maximumTokens - frame.count
    firstIDs.removeAll(keepingCapacity: true)
    secondIDs.removeAll(keepingCapacity: true)
    // One more token than fits tells that a text is too long.
    _ = encode(first, limit: room + 1, framed: false, into: &firstIDs)
    _ = tokenizer.encode(second, limit: room + 1, framed: false, into: &secondIDs)
    var (a, b) = (firstIDs.count, secondIDs.count)
    let isTruncated = a + b > room
    if isTruncated {
      switch cut {
      case .longestFirst: (a, b) = Self.lengths(a, b, room: room)
      case .onlyFirst:
        guard b < room else {
          throw VDSQError(
            .usage,
            "\"\(String(decoding: second, as: UTF8.self))\" leaves no room for a text in "
              + "\(maximumTokens) tokens", .maximumTokens)
        }
        a = room - b
      }
    }
    let before = batch.ids.count
    batch.ids.append(contentsOf: frame.before)
    batch.ids.append(contentsOf: firstIDs[..<a])
    batch.ids.append(contentsOf: frame.between)
    let secondStart = batch.ids.count
    batch.ids.append(contentsOf: secondIDs[..<b])
    batch.ids.append(contentsOf: frame.after)
    if batch.ids.count == before { batch.ids.append(0) }
    batch.endSequence(secondStart: frame.secondType == 0 ? nil : secondStart)
    return (batch.ids.count - before, isTruncated)
  }

  /// The lengths of two texts that do not fit `room` tokens, as Hugging Face's tokenizers cut them
  /// with `longest_first`.
  package static func lengths(_ a: Int, _ b: Int, room: Int) -> (Int, Int) {
    var shorter = min(a, b)
    var longer = shorter > room ? shorter : max(shorter, room - shorter)
    if shorter + longer > room {
      shorter = room / 2
      longer = shorter + room % 2
    }
    return a > b ? (longer, shorter) : (shorter, longer)
  }

  /// Whether a text is short enough not to be truncated.
  public func fits(_ text: UnsafeRawBufferPointer) -> Bool {
    var ids: [Int32] = []
    return !tokens(of: text, into: &ids)
  }

  /// The ids of a text as the model needs them. For a masked language model, a text without a mask
  /// gets one at its end. For a decoder, a text without tokens gets the first token of the
  /// vocabulary.
  private func tokens(of text: UnsafeRawBufferPointer, into ids: inout [Int32]) -> Bool {
    let before = ids.count
    let truncated = encode(text, limit: maximumTokens, into: &ids)
    if kind == .masked, let mask = tokenizer.mask, !ids[before...].contains(mask) {
      if ids.count - before == maximumTokens { ids.remove(at: ids.count - 2) }
      ids.insert(mask, at: max(before, ids.count - 1))
    }
    if ids.count == before, framesTexts { ids.append(0) }
    return truncated
  }

  /// The position of a mask token behind `start`; nil if the model reads no mask.
  private func mask(in ids: [Int32], from start: Int, _ place: MaskPlace) -> Int? {
    guard kind == .masked, let mask = tokenizer.mask else { return nil }
    switch place {
    case .first: return ids[start...].firstIndex(of: mask)
    case .last: return ids[start...].lastIndex(of: mask)
    }
  }

  /// The number of mask tokens in a text; 0 for models that read no mask.
  package func maskCount(in text: UnsafeRawBufferPointer) -> Int {
    guard kind == .masked, let mask = tokenizer.mask else { return 0 }
    var count = 0
    for id in tokens(of: text) where id == mask { count += 1 }
    return count
  }

  /// Appends the ids of the prompt and a text.
  ///
  /// - Returns: whether the text was truncated.
  private func encode(
    _ text: UnsafeRawBufferPointer, limit: Int, framed: Bool = true, into ids: inout [Int32]
  ) -> Bool {
    guard framesTexts else { return encodeUnframed(text, limit: limit, into: &ids) }
    guard !prompt.isEmpty else {
      return tokenizer.encode(text, limit: limit, framed: framed, into: &ids)
    }
    prompted.removeAll(keepingCapacity: true)
    prompted.append(contentsOf: prompt)
    prompted.append(contentsOf: text)
    return prompted.withUnsafeBytes {
      tokenizer.encode($0, limit: limit, framed: framed, into: &ids)
    }
  }

  /// Appends the ids of the prompt and a text without special tokens and without the token that is
  /// left out.
  private func encodeUnframed(
    _ text: UnsafeRawBufferPointer, limit: Int, into ids: inout [Int32]
  ) -> Bool {
    prompted.removeAll(keepingCapacity: true)
    prompted.append(contentsOf: prompt)
    prompted.append(contentsOf: text)
    let before = ids.count
    var isCut = false
    if let maximumCharacters {
      isCut = cutPrompted(to: maximumCharacters)
    }
    let isLong = prompted.withUnsafeBytes {
      tokenizer.encode($0, limit: limit, framed: false, into: &ids)
    }
    if let droppedToken {
      var kept = before
      for place in before..<ids.count where ids[place] != droppedToken {
        ids[kept] = ids[place]
        kept += 1
      }
      ids.removeLast(ids.count - kept)
    }
    return isLong || isCut
  }

  /// Cuts the text behind a number of Unicode scalars.
  private func cutPrompted(to limit: Int) -> Bool {
    guard prompted.count > limit else { return false }
    var count = 0
    for (place, byte) in prompted.enumerated() where byte & 0xC0 != 0x80 {
      if count == limit {
        prompted.removeLast(prompted.count - place)
        return true
      }
      count += 1
    }
    return false
  }

  /// Calls `body` with each state of the batch, in order, and empties the batch.
  public func encode(
    _ body: (_ index: Int, _ state: UnsafePointer<Float>) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    defer { batch.removeAll() }
    let states = try run(batch, trace: nil)
    for i in 0..<batch.sequences {
      let state = states + i * stateSize
      try body(i, projection?.apply(to: state) ?? state)
    }
  }

  /// Calls `body` with each state of the batch and the states after what may follow its text, in
  /// order, and empties the batch.
  ///
  /// - Parameters:
  ///   - tree: at least one node, and no more than the options have memory for.
  ///   - body: called with the state of a text, and `[nodes, dimensions]`: the state at each node.
  package func encode(
    continuing tree: TokenTree,
    _ body: (_ index: Int, _ state: UnsafePointer<Float>, _ nodes: UnsafePointer<Float>)
      throws(VDSQError) -> Void
  ) throws(VDSQError) {
    defer { batch.removeAll() }
    for i in 0..<batch.sequences {
      text.removeAll()
      text.ids.append(contentsOf: batch.ids[batch.range(i)])
      text.endSequence()
      for node in tree.nodes {
        text.ids.append(node.id)
        text.endSequence(following: node.parent.map { $0 + 1 } ?? 0)
      }
      let states = try run(text, trace: nil)
      try body(i, states, states + dimensions)
    }
  }

  /// Calls `body` with each state of the batch, and the states of its text with more masks, in
  /// order, and empties the batch. For masked language models.
  ///
  /// - Parameters:
  ///   - counts: numbers of masks that take the place of the one whose state is read; in all no
  ///     more than the options have memory for.
  ///   - body: called with the state of a text, and the states at all masks of the first count,
  ///     then of the second, and so on.
  package func encode(
    masks counts: [Int],
    _ body: (_ index: Int, _ state: UnsafePointer<Float>, _ filled: UnsafePointer<Float>)
      throws(VDSQError) -> Void
  ) throws(VDSQError) {
    defer { batch.removeAll() }
    for i in 0..<batch.sequences {
      let range = batch.range(i), mask = batch.statePositions[i]
      // Each state is that of a sequence of its own; the first one has the text as it is.
      var done = 0
      func flush() throws(VDSQError) {
        let states = try run(text, trace: nil)
        for sequence in 0..<text.sequences {
          for j in 0..<dimensions {
            filled[done * dimensions + j] = states[sequence * dimensions + j]
          }
          done += 1
        }
        text.removeAll()
      }
      for index in -1..<counts.count {
        let count = index < 0 ? 1 : counts[index]
        for place in 0..<count {
          if text.ids.count + range.count + count - 1 > tokenCapacity
            || text.sequences == sequenceCapacity
          {
            try flush()
          }
          text.ids.append(contentsOf: batch.ids[range.lowerBound..<mask])
          let first = text.ids.count
          for _ in 0..<count { text.ids.append(batch.ids[mask]) }
          text.ids.append(contentsOf: batch.ids[(mask + 1)..<range.upperBound])
          text.endSequence(statePosition: first + place)
        }
      }
      try flush()
      try filled.withUnsafeBufferPointer { (filled) throws(VDSQError) in
        try body(i, filled.baseAddress!, filled.baseAddress! + dimensions)
      }
    }
  }

  private func run(
    _ batch: TokenBatch, trace: UnsafeMutablePointer<Float>?
  ) throws(VDSQError) -> UnsafePointer<Float> {
    let states =
      switch backbone {
      case .encoder(let encoder): try encoder.encode(batch, trace: trace)
      case .decoder(let decoder): try decoder.decode(batch, trace: trace)
      }
    try container.file.checkLength()
    return states
  }

  // MARK: Texts that go on

  /// The token ids of a text that goes on, as far as they were read.
  ///
  /// - Parameter place: below `options.keptTexts`.
  package func continuedIDs(inPlace place: Int) -> [Int32] { continued[place] }

  /// Begins a text that goes on, with the first ids of the one before in its place.
  ///
  /// - Parameter count: the number of these ids, whose keys and values are still there.
  package func beginText(inPlace place: Int, keeping count: Int = 0) {
    continued[place].removeLast(continued[place].count - count)
  }

  /// Reads token ids behind those of a text that were read.
  ///
  /// - Parameter ids: one or more; in all no more than `maximumTokens`.
  /// - Returns: the state at the last one, `[dimensions]`, valid until the next call.
  package func read(
    _ ids: ArraySlice<Int32>, inPlace place: Int
  ) throws(VDSQError) -> UnsafePointer<Float> {
    text.removeAll()
    text.ids.append(contentsOf: ids)
    text.endSequence(inPlace: place, behind: continued[place].count)
    let state = try run(text, trace: nil)
    continued[place].append(contentsOf: ids)
    return state
  }

  /// Reads one token behind each of some texts. Weights are read from memory once for all of them.
  ///
  /// - Parameter tokens: the places of different texts, and the ids.
  /// - Returns: the state of each, `[tokens, dimensions]`, valid until the next call.
  package func read(
    _ tokens: [(place: Int, id: Int32)]
  ) throws(VDSQError) -> UnsafePointer<Float> {
    text.removeAll()
    for (place, id) in tokens {
      text.ids.append(id)
      text.endSequence(inPlace: place, behind: continued[place].count)
    }
    let states = try run(text, trace: nil)
    for (place, id) in tokens { continued[place].append(id) }
    return states
  }

  /// The number of layers whose keys and values are kept, and the bytes of a token's keys in one of
  /// them; nil if texts do not go on.
  package var keptRows: (layers: Int, bytes: Int)? {
    guard options.keptTexts > 0, case .decoder(let decoder) = backbone else { return nil }
    return decoder.keptRows
  }

  /// Calls `body` with the kept keys, and then the values, of the first tokens of a text that goes
  /// on, layer after layer.
  package func forEachKept(
    inPlace place: Int, _ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void
  ) {
    guard count <= maximumTokens, case .decoder(let decoder) = backbone else { return }
    decoder.forEachKept(place, count, body)
  }

  /// Begins a text whose first ids were read already, and whose keys and values the caller has put
  /// where `forEachKept` says.
  package func beginText(inPlace place: Int, restored ids: [Int32]) { continued[place] = ids }

  // MARK: States

  /// The state of one text. The batch must be empty.
  public func vector(of text: String) throws(VDSQError) -> [Float] {
    var result = [Float](repeating: 0, count: dimensions)
    var copy = text
    _ = copy.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    try encode { _, vector in
      for i in 0..<dimensions { result[i] = vector[i] }
    }
    return result
  }

  /// The states of a text after the embeddings and every layer, at every token.
  public struct Trace {
    /// The token ids of the text as the model read it, special tokens included.
    public let ids: [Int32]
    /// The number of layers of the model plus one, because the embeddings are the first.
    public let layers: Int
    /// The number of dimensions of a transformed state.
    public let dimensions: Int
    /// `[layers, tokens, dimensions]`. Each state is transformed as the head transforms that of the
    /// last layer.
    public let states: [Float]
  }

  /// Runs one text and keeps the states of every layer. The batch must be empty.
  ///
  /// States pass through the final norm, or the transformation of the masked head, so that all
  /// layers can be compared with the vocabulary.
  ///
  /// - Parameter translate: changes a state of a layer before that, and receives the layer, the
  ///   state and its destination, of `hiddenSize` floats each; nil for no change.
  public func trace(
    _ text: UnsafeRawBufferPointer,
    translating translate: (
      (_ layer: Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    )? = nil
  ) throws(VDSQError) -> Trace {
    let (ids, raw) = try rawStates(of: text)
    return trace(ids, raw, translating: translate)
  }

  /// The trace of states that were kept (`rawStates`).
  package func trace(
    _ ids: [Int32], _ raw: [Float],
    translating translate: (
      (_ layer: Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    )? = nil
  ) -> Trace {
    var raw = raw
    if let translate {
      var translated = [Float](repeating: 0, count: raw.count)
      raw.withUnsafeBufferPointer { raw in
        translated.withUnsafeMutableBufferPointer { translated in
          for i in 0..<(layers + 1) * ids.count {
            translate(
              i / ids.count, raw.baseAddress! + i * hiddenSize,
              translated.baseAddress! + i * hiddenSize)
          }
        }
      }
      raw = translated
    }
    let count = (layers + 1) * ids.count
    let width = kind == .masked ? dimensions : hiddenSize
    var states = [Float](repeating: 0, count: count * width)
    raw.withUnsafeBufferPointer { raw in
      states.withUnsafeMutableBufferPointer { states in
        for i in 0..<count {
          let from = raw.baseAddress! + i * hiddenSize, to = states.baseAddress! + i * width
          switch backbone {
          case .encoder(let encoder): encoder.transform(from, into: to)
          case .decoder(let decoder): decoder.normalize(from, rows: 1, into: to)
          }
        }
      }
    }
    return Trace(ids: ids, layers: layers + 1, dimensions: width, states: states)
  }

  /// The ids of a text, and its states after the embeddings and every layer, as the next layer
  /// reads them: `[layers + 1, tokens, hiddenSize]`.
  package func rawStates(
    of text: UnsafeRawBufferPointer
  ) throws(VDSQError) -> (ids: [Int32], states: [Float]) {
    var ids: [Int32] = []
    _ = tokens(of: text, into: &ids)
    var batch = TokenBatch()
    batch.ids = ids
    batch.endSequence()
    guard !ids.isEmpty else { return (ids, []) }
    var raw = [Float](repeating: 0, count: (layers + 1) * ids.count * hiddenSize)
    try raw.withUnsafeMutableBufferPointer { (raw) throws(VDSQError) in
      _ = try run(batch, trace: raw.baseAddress!)
    }
    return (ids, raw)
  }

  /// The states of a text after the embeddings and every layer, as `output_hidden_states` of
  /// transformers gives them: before the final norm where there is one, and behind the last layer
  /// after it. The batch must be empty.
  ///
  /// - Returns: `[layers + 1, tokens, hiddenSize]`.
  public func hiddenStates(
    of text: UnsafeRawBufferPointer
  ) throws(VDSQError) -> (ids: [Int32], states: [Float]) {
    var (ids, states) = try rawStates(of: text)
    states.withUnsafeMutableBufferPointer { states in
      guard let first = states.baseAddress else { return }
      normalize(first + layers * ids.count * hiddenSize, rows: ids.count)
    }
    return (ids, states)
  }

  /// The states of the last layer at every token of a text, as a head reads them: after the final
  /// norm where there is one. The batch must be empty.
  ///
  /// - Returns: the ids with special tokens, `[tokens, hiddenSize]`, and whether the text was cut.
  package func tokenStates(
    of text: UnsafeRawBufferPointer
  ) throws(VDSQError) -> (ids: [Int32], states: [Float], isCut: Bool) {
    var batch = TokenBatch()
    let isCut = tokens(of: text, into: &batch.ids)
    batch.endSequence()
    let ids = batch.ids
    guard !ids.isEmpty else { return (ids, [], isCut) }
    setFirstTraced(layers)
    defer { setFirstTraced(0) }
    var states = [Float](repeating: 0, count: ids.count * hiddenSize)
    try states.withUnsafeMutableBufferPointer { (states) throws(VDSQError) in
      _ = try run(batch, trace: states.baseAddress!)
      normalize(states.baseAddress!, rows: ids.count)
    }
    return (ids, states, isCut)
  }

  /// The states of the last layer at every token of some sequences of token ids, as the LM head
  /// reads them. For causal language models.
  ///
  /// - Parameters:
  ///   - batch: no more tokens and sequences than `batchCapacity`.
  ///   - states: receives `[tokens, hiddenSize]`.
  package func tokenStates(
    of batch: TokenBatch, into states: UnsafeMutablePointer<Float>
  ) throws(VDSQError) {
    try rawTokenStates(of: batch, into: states)
    normalize(states, rows: batch.ids.count)
  }

  /// The same before the final norm.
  package func rawTokenStates(
    of batch: TokenBatch, into states: UnsafeMutablePointer<Float>
  ) throws(VDSQError) {
    try layerStates(of: batch, from: layers, into: states)
  }

  /// The states behind layers at every token of some sequences of token ids, before the final norm.
  /// For causal language models.
  ///
  /// - Parameters:
  ///   - batch: no more tokens and sequences than `batchCapacity`.
  ///   - first: the first layer, 0 for the embeddings.
  ///   - states: receives `[layers - first + 1, tokens, hiddenSize]`.
  package func layerStates(
    of batch: TokenBatch, from first: Int, into states: UnsafeMutablePointer<Float>
  ) throws(VDSQError) {
    setFirstTraced(first)
    defer { setFirstTraced(0) }
    _ = try run(batch, trace: states)
  }

  /// The maximum numbers of tokens and sequences in a batch.
  package var batchCapacity: (tokens: Int, sequences: Int) { (tokenCapacity, sequenceCapacity) }

  /// Applies the norm behind the last layer, where there is one, in place.
  package func normalize(_ states: UnsafeMutablePointer<Float>, rows: Int) {
    switch backbone {
    case .encoder(let encoder): encoder.normalize(states, rows: rows)
    case .decoder(let decoder): decoder.normalize(states, rows: rows, into: states)
    }
  }

  private func setFirstTraced(_ layer: Int) {
    switch backbone {
    case .encoder(let encoder): encoder.firstTraced = layer
    case .decoder(let decoder): decoder.firstTraced = layer
    }
  }

  /// The pooled states of a text after the embeddings and every layer: each layer's `hiddenStates`
  /// at the token that the model reads, or pooled as the model pools them. They are not scaled to
  /// length 1. The batch must be empty.
  ///
  /// - Returns: `[layers + 1, hiddenSize]`.
  /// - Throws: `usage` if the model has several poolings.
  public func pooledStates(of text: UnsafeRawBufferPointer) throws(VDSQError) -> [Float] {
    try pooled(of: text, hiddenStates(of:))
  }

  /// The same of `rawStates`, as the next layer reads them: without the final norm.
  package func pooledRawStates(of text: UnsafeRawBufferPointer) throws(VDSQError) -> [Float] {
    try pooled(of: text, rawStates(of:))
  }

  private func pooled(
    of text: UnsafeRawBufferPointer,
    _ statesOf: (UnsafeRawBufferPointer) throws(VDSQError) -> (ids: [Int32], states: [Float])
  ) throws(VDSQError) -> [Float] {
    guard !hasSeveralPoolings else {
      throw .usage(
        "\(container.path): the model has several poolings, and layers have no pooled states; take "
          + "those of the tokens")
    }
    let (ids, states) = try statesOf(text)
    let d = hiddenSize, mask = mask(in: ids, from: 0, .first)
    var pooled = [Float](repeating: 0, count: (layers + 1) * d)
    guard !ids.isEmpty else { return pooled }
    let pooler = Pooler(
      pooling, kernels, columns: d, skipped: mask == nil ? min(skippedTokens, ids.count - 1) : 0)
    states.withUnsafeBufferPointer { states in
      pooled.withUnsafeMutableBufferPointer { pooled in
        for layer in 0...layers {
          let from = states.baseAddress! + layer * ids.count * d
          let to = pooled.baseAddress! + layer * d
          if let mask {
            pooler.add(from + mask * d, position: 0, to: to)
          } else {
            for i in ids.indices { pooler.add(from + i * d, position: i, to: to) }
            pooler.finish(to, count: ids.count)
          }
        }
      }
    }
    return pooled
  }

  /// The text of a token; empty for an unknown id. It may be a part of a UTF-8 sequence.
  public func token(_ id: Int32) -> [UInt8] {
    var text: [UInt8] = []
    tokenizer.appendText(of: id, to: &text)
    return text
  }

  /// The token ids that a pass over a text reads: those of `tokens(of:)`, and the mask or the token
  /// that the model needs besides.
  package func readTokens(of text: UnsafeRawBufferPointer) -> [Int32] {
    var ids: [Int32] = []
    _ = tokens(of: text, into: &ids)
    return ids
  }

  /// The token ids of a text, including special tokens and the model's default prompt.
  public func tokens(of text: UnsafeRawBufferPointer) -> [Int32] {
    var ids: [Int32] = []
    _ = encode(text, limit: maximumTokens, into: &ids)
    return ids
  }
}
