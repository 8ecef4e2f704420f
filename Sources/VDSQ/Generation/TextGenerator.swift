public import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTokenizers

/// Generates texts with a causal language model.
///
///     let generator = try TextGenerator(model: try Model(path: "smollm2.vdsq"))
///     print(try generator.generate("The capital of France is").text)
///
/// A generator can be used from several threads. `RunOptions.concurrency` is the number of threads
/// that are served at a time, each with keys and values of its own. All share the model's map.
public final class TextGenerator: @unchecked Sendable {
  let pool: EncoderPool
  /// The tokens behind which a text is complete.
  let ends: [Int32]
  /// The tokens that are no part of a text.
  let controls: Set<Int32>
  /// The special tokens before a prompt; those of the tokenizer.
  let beginning: [Int32]
  /// What an empty prompt is; nil if the file does not say.
  let first: Int32?
  let path: String
  private let metadata: Metadata
  /// The bytes of keys, values, states, the head and choices of one caller.
  package let bytes: Int
  /// The maximum number of tokens of a prompt and of what is generated behind it.
  public let maximumTokens: Int

  /// - Parameter options: `maximumTokens` is that of a prompt with what is generated.
  /// - Throws: `usage` if the model is no causal language model, or for options out of range;
  ///   `badInput` for a model that cannot be run; `budgetTooSmall` if the memory budget does not
  ///   suffice.
  public convenience init(
    model: Model, options: RunOptions = RunOptions()
  ) throws(VDSQError) {
    try self.init(model: model, options: options, more: 0)
  }

  /// - Parameters:
  ///   - more: bytes that the caller needs beside the model.
  ///   - texts: the number of texts of a session that can grow together, from 1 to 8.
  package init(
    model: Model, options: RunOptions, more: Int, texts: Int = 1
  ) throws(VDSQError) {
    path = model.path
    metadata = model.description.metadata
    let architecture = try Architecture(model.description.metadata)
    guard architecture.pooling == .nextToken else {
      throw .usage("\(model.path): the model is no causal language model, which continues texts")
    }
    let boundaries = try TextBoundaries(
      model.description.metadata, vocabularySize: architecture.vocabularySize)
    var run = options
    run.keptTexts = texts
    // Of each text the logits, candidates with their scores, and a constraint.
    let vocabulary = architecture.vocabularySize
    let own = texts * (vocabulary * 24 + ConstraintWalk.bytes(vocabulary: vocabulary))
    pool = try EncoderPool(model, run, adapter: nil, comparing: .head, more: more + own)
    let encoder = try pool.take()
    maximumTokens = encoder.maximumTokens
    beginning = encoder.beginning
    first = boundaries.beginning
    ends = boundaries.ends
    bytes =
      encoder.arena.length + own
      + encoder.options.comparedBytes(of: encoder.container, encoder.policy)
    controls = Set(encoder.tokenizer.controlTokens)
    pool.give(encoder)
    pool.settle()
  }

  /// Generates text behind a prompt.
  ///
  /// The prompt begins with the special tokens of the tokenizer, unless it has them already. The
  /// text ends at one of the model's end tokens, at one of the stops, or when it is long enough.
  ///
  /// - Parameter onText: called with each new part of the text, of whole characters. If it returns
  ///   false, nothing more is generated.
  /// - Throws: `usage` if the prompt leaves no room, or for options out of range; `badInput` if the
  ///   model's weights cannot be read.
  public func generate(
    _ prompt: String, options: GenerationOptions = GenerationOptions(),
    onText: (String) -> Bool = { _ in true }
  ) throws(VDSQError) -> GeneratedText {
    let session = try Session(self, options: options)
    defer { session.end() }
    return try Array(prompt.utf8).withBytes { (prompt) throws(VDSQError) in
      try session.generate(prompt) { (part) throws(VDSQError) in
        onText(String(decoding: part, as: UTF8.self))
      }
    }
  }

  /// Generates an answer to a chat, which is written as the model's chat template says.
  ///
  /// - Parameters:
  ///   - chat: messages, the last one of the user.
  ///   - onText: as for a prompt.
  /// - Throws: `usage` if the model has no chat template, or the template no such order of roles;
  ///   as for a prompt.
  public func generate(
    chat: [ChatMessage], options: GenerationOptions = GenerationOptions(),
    onText: (String) -> Bool = { _ in true }
  ) throws(VDSQError) -> GeneratedText {
    let prompt = try text(of: chat)
    let session = try Session(self, options: options)
    defer { session.end() }
    return try prompt.withBytes { (prompt) throws(VDSQError) in
      try session.generate(prompt, isChat: true) { (part) throws(VDSQError) in
        onText(String(decoding: part, as: UTF8.self))
      }
    }
  }

  /// A chat as the model reads it.
  ///
  /// - Throws: as for `generate(chat:)`.
  package func text(of chat: [ChatMessage]) throws(VDSQError) -> [UInt8] {
    try chatFormat().text(of: chat.map { ChatFormat.Message($0.role.own, $0.bytes) })
  }

  /// How the model reads a chat.
  ///
  /// - Throws: `usage` if it has no chat template, or one that is not supported.
  package func chatFormat() throws(VDSQError) -> ChatFormat {
    if let format = ChatFormat(metadata) { return format }
    let reason =
      metadata.find("chat.refusal").map { "its chat template is not supported: \($0)" }
      ?? "its checkpoint has no chat template"
    throw .usage("\(path): the model reads no chats: \(reason)")
  }

  /// The number of tokens of a prompt and of what is generated behind it, at most the model's
  /// longest sequence.
  ///
  /// - Throws: `badInput` if the file is not a valid model.
  package static func room(
    for prompt: [UInt8], isChat: Bool = false, system: String? = nil, and tokens: Int,
    of path: String
  ) throws(VDSQError) -> Int {
    let file = try Container(path: path, kind: .model, decoding: .noWeights)
    let architecture = try Architecture(file.metadata)
    let tokenizer = try Tokenizer(section: try file.bytes(of: .tokenizer), path: path)
    var ids: [Int32] = []
    var prompt = prompt
    if isChat, let format = ChatFormat(file.metadata) {
      prompt = try prompt.withBytes { (text) throws(VDSQError) in
        try GenerationStream.text(of: text, format, system.map { Array($0.utf8) })
      }
    }
    prompt.withUnsafeBytes { _ = tokenizer.encode($0, limit: 1 << 24, into: &ids) }
    return min(
      max(2, ids.count) + min(tokens, architecture.maximumTokens), architecture.maximumTokens)
  }
}
