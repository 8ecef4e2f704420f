import CVDSQ
import VDSQ

extension GenerationOptions {
  /// The options of a caller; NULL for the defaults.
  ///
  /// - Throws: `usage` for a value that is never possible.
  init(_ pointer: UnsafePointer<vdsq_generation_options>?) throws(VDSQError) {
    self.init()
    guard let options = try Sized.read(pointer, "vdsq_generation_options") else { return }
    if options.maximum_tokens > 0 { maximumTokens = Int(options.maximum_tokens) }
    sampling.temperature = options.temperature
    sampling.topK = Int(options.top_k)
    if options.top_p != 0 { sampling.topP = options.top_p }
    sampling.minP = options.min_p
    if options.repetition_penalty != 0 { sampling.repetitionPenalty = options.repetition_penalty }
    sampling.seed = options.seed
    stops = try Arguments.strings(options.stops, options.stop_count, "stops")
    let regex = try Arguments.optionalString(options.regex, "regex")
    guard options.choice_count == 0 || regex == nil else {
      throw .usage("choices and regex exclude each other")
    }
    if let regex {
      constraint = try TextConstraint(pattern: regex)
    } else if options.choice_count != 0 {
      constraint = try TextConstraint(
        choices: try Arguments.strings(options.choices, options.choice_count, "choices"))
    }
  }
}

extension ChatMessage {
  /// A message of a caller.
  ///
  /// - Parameter index: its place in the chat, for messages.
  init(_ message: vdsq_message, _ index: Int) throws(VDSQError) {
    let role = try Arguments.string(message.role, "role")
    let content = try Texts.one(message.content, Texts.terminated, "content")
    let own: Role
    switch role {
    case "system": own = .system
    case "user": own = .user
    case "assistant": own = .assistant
    default: throw .usage("messages[\(index)]: a role is system, user or assistant, not \(role)")
    }
    self.init(own, String(decoding: content, as: UTF8.self))
  }
}
