import VDSQCheckpoints
import VDSQFormat
import VDSQStreams

/// The routes of vectors: OpenAI's `/v1/embeddings`, and TEI's `/embed` and `/similarity`.
extension Router {
  private static func canEmbed(_ model: ServedModel.Description) -> Bool { model.labels.isEmpty }

  /// https://platform.openai.com/docs/api-reference/embeddings/create, and `truncate` and
  /// `prompt_name` of TEI.
  func embeddings(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let fields = try RequestFields(
      request.body,
      known: [
        "input", "model", "encoding_format", "dimensions", "user", "truncate",
        "truncation_direction", "prompt_name",
      ])
    let model = try model(fields, for: "make embeddings", where: Self.canEmbed)
    let inputs = try RequestInputs(
      try fields.needed("input"), field: "input", limits: limits)
    let isBase64 = try fields.choice("encoding_format", of: ["float", "base64"]) == "base64"
    let dimensions = try dimensions(fields, model)
    // It identifies a person to OpenAI, and changes nothing.
    _ = try fields.text("user")
    return try run(
      .vectors(prompt: try prompt(fields)), inputs.inputs, model: model,
      truncates: try truncates(fields, default: false), route: .embeddings, reply: reply
    ) { answer in
      let tokens = answer.outcomes.reduce(0) { $0 + $1.tokens }
      return HTTPAnswer { json in
        json.object {
          json.member("object", "list")
          json.key("data")
          json.array {
            for (index, outcome) in answer.outcomes.enumerated() {
              guard case .vector(let vector) = outcome.value else { continue }
              let cut = Self.vector(vector, dimensions: dimensions, normalizes: true)
              json.object {
                json.member("object", "embedding")
                json.member("index", index)
                json.key("embedding")
                if isBase64 {
                  json.write(Base64.encode(cut.withUnsafeBytes { Array($0) }))
                } else {
                  json.write(cut)
                }
                if outcome.isTruncated { json.member("truncated", true) }
              }
            }
          }
          json.member("model", model.name)
          json.key("usage")
          json.object {
            json.member("prompt_tokens", tokens)
            json.member("total_tokens", tokens)
          }
        }
      }
    }
  }

  private func dimensions(
    _ fields: RequestFields, _ model: ServedModel.Description
  ) throws(RequestError) -> Int? {
    guard let count = try fields.integer("dimensions", in: 1...model.dimensions) else { return nil }
    guard model.kind == .sentences else {
      throw .invalid("dimensions", "states of a language model are not cut")
    }
    return count
  }

  func embed(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let fields = try RequestFields(
      request.body,
      known: [
        "inputs", "model", "normalize", "truncate", "truncation_direction", "prompt_name",
        "dimensions",
      ])
    let model = try model(fields, for: "make embeddings", where: Self.canEmbed)
    let inputs = try RequestInputs(
      try fields.needed("inputs"), field: "inputs", limits: limits)
    let normalizes = try fields.flag("normalize") ?? true
    guard normalizes || !model.normalizes else {
      throw .invalid(
        "normalize",
        "false is not possible: the model \(model.name) itself scales vectors to length 1")
    }
    let dimensions = try dimensions(fields, model)
    return try run(
      .vectors(prompt: try prompt(fields)), inputs.inputs, model: model,
      truncates: try truncates(fields, default: false), route: .embed, reply: reply
    ) { answer in
      var http = HTTPAnswer { json in
        json.array {
          for outcome in answer.outcomes {
            guard case .vector(let vector) = outcome.value else { continue }
            json.write(Self.vector(vector, dimensions: dimensions, normalizes: normalizes))
          }
        }
      }
      http.headers += Self.truncatedHeader(answer.outcomes)
      return http
    }
  }

  func similarity(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let fields = try RequestFields(request.body, known: ["inputs", "parameters", "model"])
    let model = try model(fields, for: "make embeddings", where: Self.canEmbed)
    guard let inputs = try fields.object("inputs", known: ["source_sentence", "sentences"]) else {
      throw .invalid("inputs", "is missing")
    }
    let parameters = try fields.object(
      "parameters", known: ["truncate", "truncation_direction", "prompt_name"])
    let source = try inputs.neededText("source_sentence")
    guard let sentences = try inputs.texts("sentences"), !sentences.isEmpty else {
      throw .invalid("inputs.sentences", "is missing or empty")
    }
    try RequestInputs.check(sentences.count + 1, limits)
    var texts: [Job.Input] = []
    for text in [source] + sentences {
      texts.append(try RequestInputs.text(text, "inputs", limits))
    }
    let truncates = try parameters.map { (fields) throws(RequestError) in
      try self.truncates(fields, default: false)
    }
    let prompt = try parameters.map { (fields) throws(RequestError) in try self.prompt(fields) }
    return try run(
      .vectors(prompt: prompt ?? nil), texts, model: model, truncates: truncates ?? false,
      route: .similarity, reply: reply
    ) { answer in
      let vectors = answer.outcomes.map { outcome in
        if case .vector(let vector) = outcome.value { vector } else { [Float]() }
      }
      let first = Self.vector(vectors[0], dimensions: nil, normalizes: true)
      var http = HTTPAnswer { json in
        json.array {
          for vector in vectors.dropFirst() {
            let other = Self.vector(vector, dimensions: nil, normalizes: true)
            json.write(zip(first, other).reduce(Float(0)) { $0 + $1.0 * $1.1 })
          }
        }
      }
      http.headers += Self.truncatedHeader(answer.outcomes)
      return http
    }
  }

  /// A vector that is cut, and scaled to length 1.
  static func vector(_ vector: [Float], dimensions: Int?, normalizes: Bool) -> [Float] {
    var cut = dimensions.map { Array(vector.prefix($0)) } ?? vector
    guard normalizes else { return cut }
    var square: Double = 0
    for value in cut { square += Double(value) * Double(value) }
    guard square > 0, abs(square - 1) > 1e-6 else { return cut }
    let scale = Float(1 / square.squareRoot())
    for i in cut.indices { cut[i] *= scale }
    return cut
  }
}
