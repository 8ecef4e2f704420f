package import VDSQFormat
import VDSQStreams

/// Generates text behind the prompts of a stream, in constant memory: a line per prompt, or a JSON
/// object. As many prompts as the session has room for are continued together.
package final class GenerationStream {
  /// The names of the members of an answer's JSON.
  package static let members: [StaticString] = [
    "text", "finish", "tokens", "prompt_tokens", "logprob", "truncated",
  ]

  /// A text that grows, and the record of its prompt.
  private struct Growing {
    let text: TextGenerator.Continuation
    let line: Int
    let isCut: Bool
  }

  private let records: RecordStream
  private var growing: [Growing] = []
  /// What generates the texts.
  package let session: TextGenerator.Session
  private let isJSON: Bool
  /// How prompts are written as chats; nil if they are no chats.
  private let chat: ChatFormat?
  /// The message of the system before a chat; nil for none.
  private let system: [UInt8]?
  /// The number of generated tokens so far.
  package private(set) var tokens = 0
  /// The number of tokens of the last prompt.
  package private(set) var promptTokens = 0

  /// - Parameters:
  ///   - isChat: whether prompts are messages of the user, which the model answers.
  ///   - system: the message of the system before a chat.
  /// - Throws: `usage` for options out of range, or if the model reads no chats; `badInput` if the
  ///   model cannot be opened once more.
  package init(
    _ records: RecordStream, generator: TextGenerator, options: GenerationOptions, isJSON: Bool,
    isChat: Bool = false, system: String? = nil
  ) throws(VDSQError) {
    self.records = records
    self.isJSON = isJSON
    chat = isChat ? try generator.chatFormat() : nil
    self.system = system.map { Array($0.utf8) }
    session = try TextGenerator.Session(generator, options: options)
  }

  deinit { session.end() }

  /// Answers all records.
  ///
  /// - Throws: what `RecordStream.forEach` throws; `badInput` if the model's weights cannot be
  ///   read.
  package func run() throws(VDSQError) {
    try records.forEach(
      { (record) throws(VDSQError) in
        try begin(record)
        if !session.hasRoom { try finish() }
      },
      pause: { () throws(VDSQError) in try finish() })
  }

  private func begin(_ record: TextRecord) throws(VDSQError) {
    do throws(VDSQError) {
      let text = try begin(record.text)
      growing.append(Growing(text: text, line: record.line, isCut: record.isCut))
    } catch {
      // Only the prompt may be at fault; a file that cannot be read fails with the next one too.
      guard error.category == .badInput else { throw error }
      records.counts.texts -= 1
      try finish()
      return try records.fail(record.line, error, record.fields)
    }
    records.tags.add(record)
  }

  private func begin(
    _ prompt: UnsafeRawBufferPointer
  ) throws(VDSQError) -> TextGenerator.Continuation {
    guard let chat else { return try session.begin(prompt, isChat: false) }
    return try Self.text(of: prompt, chat, system).withBytes { (text) throws(VDSQError) in
      try session.begin(text, isChat: true)
    }
  }

  /// Answers the records whose texts grow.
  private func finish() throws(VDSQError) {
    while growing.contains(where: { !$0.text.isComplete }) { try session.step() }
    for (index, one) in growing.enumerated() {
      session.remove(one.text)
      if let failure = one.text.failure {
        records.counts.texts -= 1
        try records.fail(one.line, failure)
      } else {
        try write(one.text.result, of: index, isCut: one.isCut)
      }
    }
    growing.removeAll(keepingCapacity: true)
    records.tags.removeAll()
    // A text takes long enough that its answer is due.
    try records.output.flush()
  }

  private func write(
    _ result: GeneratedText, of index: Int, isCut: Bool
  ) throws(VDSQError) {
    tokens += result.tokens
    records.counts.tokens += result.promptTokens
    if isCut { records.counts.truncated += 1 }
    try result.bytes.withBytes { (text) throws(VDSQError) in
      if isJSON {
        writeJSON(result, text, of: index, isCut)
      } else {
        records.output.writeColumn(text)
        records.tags.writeColumns(of: index, to: records.output)
      }
    }
    records.output.write("\n")
  }

  private func generate(
    _ prompt: UnsafeRawBufferPointer, show: (ArraySlice<UInt8>) throws(VDSQError) -> Bool
  ) throws(VDSQError) -> GeneratedText {
    guard let chat else { return try session.generate(prompt, show: show) }
    let text = try Self.text(of: prompt, chat, system)
    return try text.withBytes { (text) throws(VDSQError) in
      try session.generate(text, isChat: true, show: show)
    }
  }

  /// The text of a chat of one message of the user.
  ///
  /// - Throws: `usage` if the format has no message of the system.
  package static func text(
    of prompt: UnsafeRawBufferPointer, _ chat: ChatFormat, _ system: [UInt8]?
  ) throws(VDSQError) -> [UInt8] {
    var messages = system.map { [ChatFormat.Message(.system, $0)] } ?? []
    messages.append(ChatFormat.Message(.user, Array(prompt)))
    return try chat.text(of: messages)
  }

  private func writeJSON(
    _ result: GeneratedText, _ text: UnsafeRawBufferPointer, of index: Int, _ isCut: Bool
  ) {
    let json = records.json
    json.object {
      records.tags.writeMembers(of: index, to: json)
      json.write(result, text)
      json.member("truncated", isCut)
    }
  }

  /// Generates text behind one prompt, and writes it as it comes.
  ///
  /// - Throws: what `TextGenerator.generate` throws; `internalFault` if the output cannot be
  ///   written.
  package func answer(prompt: [UInt8]) throws(VDSQError) {
    let output = records.output
    let result = try prompt.withBytes { (prompt) throws(VDSQError) in
      try generate(prompt) { (part) throws(VDSQError) in
        guard !isJSON else { return !StreamSignals.isStopped }
        Array(part).withUnsafeBytes { output.write($0) }
        try output.flush()
        return !StreamSignals.isStopped
      }
    }
    (tokens, promptTokens) = (tokens + result.tokens, result.promptTokens)
    if isJSON {
      try result.bytes.withBytes { (text) throws(VDSQError) in
        records.json.object { records.json.write(result, text) }
      }
    }
    output.write("\n")
    try output.flush()
  }
}

extension JSONWriter {
  /// The members of a generated text.
  ///
  /// - Parameter text: its bytes.
  fileprivate func write(_ result: GeneratedText, _ text: UnsafeRawBufferPointer) {
    key("text")
    separateValue()
    output.writeQuoted(text: text)
    member("finish", result.finish.name)
    member("tokens", result.tokens)
    member("prompt_tokens", result.promptTokens)
    member("logprob", result.logProbability, decimals: 6)
  }
}
