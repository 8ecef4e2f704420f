import Logging
import NIOHTTP1
import VDSQFormat

/// Answers requests: finds the route, checks key, host and form, and has the engine or the learner
/// do the rest.
final class Router: Sendable {
  /// Takes an answer, or its parts one after another.
  typealias Reply = @Sendable (HTTPAnswer) -> Void

  let options: ServerOptions
  let catalog: PublishedCatalog
  let engine: InferenceEngine
  let learner: Learner
  let generation: GenerationEngine
  let metrics: ServerMetrics
  private let access: AccessRules

  init(
    _ options: ServerOptions, catalog: PublishedCatalog, engine: InferenceEngine, learner: Learner,
    generation: GenerationEngine, metrics: ServerMetrics
  ) {
    (self.options, self.catalog, self.engine) = (options, catalog, engine)
    (self.learner, self.generation, self.metrics) = (learner, generation, metrics)
    access = AccessRules(options)
  }

  var limits: ServerOptions.Limits { options.limits }

  /// Answers a request, at once or later, on any thread.
  ///
  /// - Returns: what to call if the client has gone.
  func answer(_ request: HTTPRequest, reply: @escaping Reply) -> (@Sendable () -> Void)? {
    let route = Route(path: request.path)
    do throws(RequestError) {
      try access.check(request, route)
      return try answer(request, route, reply)
    } catch {
      var answer = HTTPAnswer(error, for: route)
      if error.reason == .methodNotAllowed {
        answer.headers.append(("allow", Self.methods(route, request.path)))
      }
      reply(answer)
      return nil
    }
  }

  /// The methods of a path.
  private static func methods(_ route: Route, _ path: String) -> String {
    switch route {
    case .page, .openAPI, .health, .metrics, .info, .models: "GET, HEAD"
    case .adapters: path == Route.adapters.rawValue ? "GET, HEAD" : "GET, HEAD, PUT, POST, DELETE"
    default: "POST"
    }
  }

  private func answer(
    _ request: HTTPRequest, _ route: Route, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    guard route != .none else {
      throw RequestError(
        .notFound, "there is no such route; GET /openapi.json lists them")
    }
    let allowed = Self.methods(route, request.path).split(separator: ",").map {
      String($0.drop { $0 == " " })
    }
    guard allowed.contains(request.method.rawValue) else {
      throw RequestError(
        .methodNotAllowed,
        "\(request.method.rawValue) is not possible here; possible: "
          + allowed.joined(separator: ", "))
    }
    if request.method == .POST || request.method == .PUT { try checkType(request) }
    switch route {
    case .page: reply(Page.answer)
    case .openAPI: reply(HTTPAnswer("application/json", OpenAPIDocument.bytes))
    case .health: reply(HTTPAnswer("text/plain; charset=utf-8", Array("ok\n".utf8)))
    case .metrics:
      reply(
        HTTPAnswer(
          "text/plain; version=0.0.4; charset=utf-8", Array(metrics.registry.render().utf8)))
    case .info: reply(HTTPAnswer(json: InfoRoute.body(options, catalog.current)))
    case .models: reply(try ModelsRoute.answer(request.path, catalog.current))
    case .embeddings: return try embeddings(request, reply)
    case .completions: return try completions(request, reply)
    case .chatCompletions: return try chatCompletions(request, reply)
    case .embed: return try embed(request, reply)
    case .predict: return try predict(request, reply)
    case .rerank: return try rerank(request, reply)
    case .similarity: return try similarity(request, reply)
    case .tokenize: return try tokenize(request, reply)
    case .classify: return try classify(request, reply)
    case .adapters: try adapters(request, reply)
    case .none: break
    }
    return nil
  }

  /// A page of another origin cannot send this type without being asked first, and is refused then.
  private func checkType(_ request: HTTPRequest) throws(RequestError) {
    let type = request.headers.first(name: "content-type") ?? ""
    let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    guard essence == "application/json" else {
      throw RequestError(
        .mediaType, "the body must be JSON; send \"content-type: application/json\"")
    }
    if let encoding = request.headers.first(name: "content-encoding"),
      encoding.lowercased() != "identity"
    {
      throw RequestError(.mediaType, "bodies are not compressed; leave content-encoding out")
    }
  }

  // MARK: What routes share

  /// The model of a request: the named one, or the first that can do what is asked.
  func model(
    _ fields: RequestFields, for what: String,
    where can: (ServedModel.Description) -> Bool = { _ in true }
  ) throws(RequestError) -> ServedModel.Description {
    let catalog = catalog.current
    if let name = try fields.text("model") {
      guard let model = catalog.model(name) else { throw Self.unknownModel(name, catalog) }
      guard can(model) else {
        throw RequestError(.model, "the model \(name) does not \(what)", field: "model")
      }
      return model
    }
    guard let model = catalog.models.first(where: can) else {
      throw RequestError(.model, "no model that is served can \(what)")
    }
    return model
  }

  static func unknownModel(_ name: String, _ catalog: Catalog) -> RequestError {
    RequestError(
      .notFound,
      "the model \(String(name.prefix(64))) is not served; served are "
        + catalog.models.map(\.name).joined(separator: ", "), field: "model")
  }

  /// TEI's fields that say how texts are cut. Only the end is cut.
  func truncates(_ fields: RequestFields, default standard: Bool) throws(RequestError) -> Bool {
    if let direction = try fields.choice(
      "truncation_direction", of: ["Right", "right", "Left", "left"]),
      direction.lowercased() == "left"
    {
      throw .invalid("truncation_direction", "left is not possible; texts are cut at their end")
    }
    return try fields.flag("truncate") ?? standard
  }

  /// A prompt of the model by its name.
  func prompt(_ fields: RequestFields) throws(RequestError) -> String? {
    try fields.text("prompt_name")
  }

  /// Has the engine work for a request.
  func run(
    _ work: Job.Work, _ inputs: [Job.Input], model: ServedModel.Description, truncates: Bool,
    route: Route, reply: @escaping Reply,
    _ body: @escaping @Sendable (Job.Answer) throws(RequestError) -> HTTPAnswer
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let job = Job(model: model.name, inputs: inputs, work: work, truncates: truncates) { result in
      do throws(RequestError) {
        reply(try body(try result.get()))
      } catch { reply(HTTPAnswer(error, for: route)) }
    }
    try engine.submit(job)
    return { [engine] in engine.cancel(job) }
  }

  /// The names of texts that were cut, as a header: answers that are plain lists have no room for
  /// them.
  static func truncatedHeader(_ outcomes: [Outcome]) -> [(name: String, value: String)] {
    let cut = outcomes.indices.filter { outcomes[$0].isTruncated }.map { "\($0)" }
    return cut.isEmpty ? [] : [("vdsq-truncated", cut.joined(separator: ","))]
  }
}
