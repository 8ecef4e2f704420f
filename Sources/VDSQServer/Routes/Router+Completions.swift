import VDSQ
import VDSQCheckpoints
import VDSQFormat
import VDSQSemantics

/// The routes of generated texts: OpenAI's `/v1/completions` and `/v1/chat/completions`.
extension Router {
  private static let commonFields = [
    "model", "max_tokens", "temperature", "top_p", "n", "stop", "seed", "stream", "stream_options",
    "presence_penalty", "frequency_penalty", "user", "top_k", "min_p", "repetition_penalty",
    "guided_choice", "guided_regex",
  ]

  /// https://platform.openai.com/docs/api-reference/completions/create
  func completions(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let fields = try RequestFields(request.body, known: Self.commonFields + ["prompt"])
    let prompts: [String]
    if let prompt = try fields.needed("prompt").text {
      prompts = [prompt]
    } else {
      prompts = try fields.texts("prompt") ?? []
    }
    guard !prompts.isEmpty else { throw .invalid("prompt", "is empty") }
    try RequestInputs.check(prompts.count, limits)
    for prompt in prompts { _ = try RequestInputs.bytes(prompt, "prompt", limits) }
    let form = try form(fields), count = try tokens(fields) ?? 16
    return try generate(
      .texts(prompts), fields, form: form, tokens: count, route: .completions, reply
    ) { () throws(RequestError) in try model(fields, for: "continue texts", where: \.writes) }
  }

  /// https://platform.openai.com/docs/api-reference/chat/create
  func chatCompletions(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let fields = try RequestFields(
      request.body,
      known: Self.commonFields + ["messages", "max_completion_tokens", "response_format"])
    let messages = try messages(fields)
    let oldCount = try tokens(fields), guide = try form(fields), format = try responseFormat(fields)
    guard format == nil || guide == nil else {
      throw .invalid("response_format", "excludes guided_choice and guided_regex")
    }
    let count = try fields.integer("max_completion_tokens", in: 1...Self.mostTokens)
    guard count == nil || oldCount == nil else {
      throw .invalid("max_tokens", "is the old name of max_completion_tokens; give one of them")
    }
    return try generate(
      .chat(messages), fields, form: format ?? guide, tokens: count ?? oldCount,
      route: .chatCompletions, reply
    ) { () throws(RequestError) in try model(fields, for: "read chats", where: \.chats) }
  }

  private static let mostTokens = 1 << 24

  private func tokens(_ fields: RequestFields) throws(RequestError) -> Int? {
    try fields.integer("max_tokens", in: 1...Self.mostTokens)
  }

  private func messages(_ fields: RequestFields) throws(RequestError) -> [ChatMessage] {
    guard let elements = try fields.needed("messages").elements, !elements.isEmpty else {
      throw .invalid("messages", "is no array, or empty")
    }
    try RequestInputs.check(elements.count, limits)
    var messages: [ChatMessage] = []
    for (index, element) in elements.enumerated() {
      let one = try RequestFields(
        element, prefix: "messages[\(index)]", known: ["role", "content"])
      let role = try one.choice("role", of: ["system", "developer", "user", "assistant"])
      guard let role else { throw .invalid(one.name("role"), "is missing") }
      let content = try content(one)
      _ = try RequestInputs.bytes(content, one.name("content"), limits)
      messages.append(
        ChatMessage(role == "user" ? .user : role == "assistant" ? .assistant : .system, content))
    }
    return messages
  }

  /// A message's text, which may be in parts.
  private func content(_ message: RequestFields) throws(RequestError) -> String {
    let value = try message.needed("content")
    if let text = value.text { return text }
    let name = message.name("content")
    guard let parts = value.elements else { throw .invalid(name, "is no string and no array") }
    var text = ""
    for (index, part) in parts.enumerated() {
      let one = try RequestFields(part, prefix: "\(name)[\(index)]", known: ["type", "text"])
      guard try one.choice("type", of: ["text"]) != nil else {
        throw .invalid(one.name("type"), "is missing")
      }
      text += try one.neededText("text")
    }
    return text
  }

  /// What texts must be, by the names of vLLM.
  private func form(_ fields: RequestFields) throws(RequestError) -> GenerationRequest.Form? {
    let choices = try fields.texts("guided_choice"), pattern = try fields.text("guided_regex")
    guard choices == nil || pattern == nil else {
      throw .invalid("guided_regex", "excludes guided_choice")
    }
    if let choices { return .choices(choices) }
    return pattern.map { .pattern($0) }
  }

  private func responseFormat(
    _ fields: RequestFields
  ) throws(RequestError) -> GenerationRequest.Form? {
    guard let format = try fields.object("response_format", known: ["type", "json_schema"]) else {
      return nil
    }
    guard let type = try format.choice("type", of: ["text", "json_schema"]) else {
      throw .invalid(format.name("type"), "is missing")
    }
    let schema = try format.object(
      "json_schema", known: ["name", "description", "schema", "strict"])
    for name in ["name", "description"] { _ = try schema?.text(name) }
    // Texts always follow the schema.
    _ = try schema?.flag("strict")
    let value = try schema?.needed("schema")
    guard type == "json_schema" else {
      guard value == nil else { throw .invalid(format.name("json_schema"), "goes with its type") }
      return nil
    }
    guard let value else { throw .invalid(format.name("json_schema"), "is missing") }
    return .schema(value)
  }

  private func sampling(_ fields: RequestFields) throws(RequestError) -> SamplingOptions {
    var sampling = SamplingOptions()
    func number(
      _ name: String, _ standard: Float, _ isPossible: (Float) -> Bool, _ range: String
    ) throws(RequestError) -> Float {
      let value = try fields.number(name) ?? standard
      guard isPossible(value) else { throw .invalid(name, "\(range) is possible") }
      return value
    }
    sampling.temperature = try number("temperature", 1, { $0 >= 0 && $0 <= 100 }, "from 0 to 100")
    sampling.topP = try number("top_p", 1, { $0 > 0 && $0 <= 1 }, "above 0 and up to 1")
    sampling.minP = try number("min_p", 0, { $0 >= 0 && $0 <= 1 }, "from 0 to 1")
    sampling.repetitionPenalty = try number(
      "repetition_penalty", 1, { $0 > 0 && $0 <= 100 }, "above 0 and up to 100")
    sampling.topK = try fields.integer("top_k", in: 0...Self.mostTokens) ?? 0
    // A text without a seed is another one each time.
    let seed = try fields.integer("seed", in: -(1 << 53) + 1...(1 << 53) - 1)
    sampling.seed = seed.map { UInt64(bitPattern: Int64($0)) } ?? UInt64.random(in: 0 ... .max)
    for name in ["presence_penalty", "frequency_penalty"] {
      _ = try number(name, 0, { $0 == 0 }, "only 0, for repetition_penalty,")
    }
    return sampling
  }

  private func stops(_ fields: RequestFields) throws(RequestError) -> [String] {
    guard let value = fields.value("stop") else { return [] }
    var stops: [String] = []
    if let text = value.text { stops = [text] } else { stops = try fields.texts("stop") ?? [] }
    guard stops.count <= 16, stops.allSatisfy({ !$0.utf8.isEmpty && $0.utf8.count <= 1024 }) else {
      throw .invalid("stop", "up to 16 texts of 1 to 1024 bytes are possible")
    }
    return stops
  }

  private func generate(
    _ prompts: GenerationRequest.Prompts, _ fields: RequestFields, form: GenerationRequest.Form?,
    tokens: Int?, route: Route, _ reply: @escaping Reply,
    model: () throws(RequestError) -> ServedModel.Description
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    var options = GenerationOptions()
    options.sampling = try sampling(fields)
    options.stops = try stops(fields)
    _ = try fields.integer("n", in: 1...1)
    // It identifies a person to OpenAI, and changes nothing.
    _ = try fields.text("user")
    let isStream = try fields.flag("stream") ?? false
    let stream = try fields.object("stream_options", known: ["include_usage"])
    guard stream == nil || isStream else {
      throw .invalid("stream_options", "goes with \"stream\": true")
    }
    let includesUsage = try stream?.flag("include_usage") ?? false
    // What is wrong with a request by itself comes first.
    let model = try model()
    options.maximumTokens = tokens ?? model.maximumTokens
    let answer = CompletionAnswer(
      CompletionForm(
        isChat: route == .chatCompletions, model: model.name,
        includesUsage: includesUsage),
      isStream: isStream, route: route, reply: reply)
    let request = GenerationRequest(
      model: model, prompts: prompts, form: form, options: options, answer: answer)
    try generation.submit(request)
    return { request.cancel() }
  }
}
