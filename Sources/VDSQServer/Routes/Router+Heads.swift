import VDSQCheckpoints
import VDSQFormat
import VDSQInference
import VDSQStreams

/// The routes of heads that models were trained with: TEI's `/predict`, and `/rerank`.
extension Router {
  func predict(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let fields = try RequestFields(
      request.body, known: ["inputs", "model", "raw_scores", "truncate", "truncation_direction"])
    let inputs = try RequestInputs(
      predicting: try fields.needed("inputs"), field: "inputs", limits: limits)
    let isRaw = try fields.flag("raw_scores") ?? false
    let truncates = try truncates(fields, default: false)
    let model = try model(fields, for: "classify by a head of its own") { !$0.labels.isEmpty }
    let work = Job.Classification(choice: .own, top: model.labels.count)
    let metrics = metrics
    return try run(
      .classify(work), inputs.inputs, model: model, truncates: truncates, route: .predict,
      reply: reply
    ) { answer in
      var http = HTTPAnswer { json in
        func write(_ outcome: Outcome) {
          guard case .scores(let scores) = outcome.value else { return }
          metrics.gave(scores.candidates[0].label, by: model.name)
          json.array {
            for candidate in scores.candidates {
              json.object {
                json.member("score", isRaw ? candidate.score : candidate.probability)
                json.member("label", candidate.label)
              }
            }
          }
        }
        if inputs.isSingle {
          write(answer.outcomes[0])
        } else {
          json.array { for outcome in answer.outcomes { write(outcome) } }
        }
      }
      http.headers += Self.truncatedHeader(answer.outcomes)
      return http
    }
  }

  /// Ranks texts for a query: TEI's form (`texts`), or that of Cohere and Jina (`documents`).
  func rerank(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let fields = try RequestFields(
      request.body,
      known: [
        "query", "texts", "documents", "model", "raw_scores", "return_text", "return_documents",
        "top_n", "truncate", "truncation_direction",
      ])
    let query = try RequestInputs.bytes(try fields.neededText("query"), "query", limits)
    let isTEI = fields.value("texts") != nil
    let field = isTEI ? "texts" : "documents"
    guard isTEI != (fields.value("documents") != nil) else {
      throw .invalid("texts", "send texts, or documents")
    }
    for other in isTEI ? ["return_documents", "top_n"] : ["return_text", "raw_scores"]
    where fields.value(other) != nil {
      throw .invalid(other, "does not go with \(field)")
    }
    let texts = try fields.texts(field)!
    guard !texts.isEmpty else { throw .invalid(field, "is empty") }
    try RequestInputs.check(texts.count, limits)
    var pairs: [Job.Input] = []
    for text in texts { pairs.append(.pair(query, try RequestInputs.bytes(text, field, limits))) }
    let isRaw = try fields.flag("raw_scores") ?? false
    let returnsTexts = try fields.flag(isTEI ? "return_text" : "return_documents") ?? false
    let top = try fields.integer("top_n", in: 1...Int(Int32.max)) ?? texts.count
    let truncates = try truncates(fields, default: false)
    let model = try model(fields, for: "rerank") { $0.ranks }
    return try run(
      .rank, pairs, model: model, truncates: truncates, route: .rerank, reply: reply
    ) { answer in
      let scores = answer.outcomes.map { outcome in
        guard case .logit(let logit) = outcome.value else { return Float.nan }
        var score = [logit]
        if !isRaw { OutputHead.Function.sigmoid.apply(to: &score) }
        return score[0]
      }
      let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
      var http =
        isTEI
        ? Self.teiRanks(order, scores, returnsTexts ? texts : nil)
        : Self.ranks(
          order.prefix(top), scores, returnsTexts ? texts : nil, model.name,
          tokens: answer.outcomes.reduce(0) { $0 + $1.tokens })
      http.headers += Self.truncatedHeader(answer.outcomes)
      return http
    }
  }

  private static func teiRanks(_ order: [Int], _ scores: [Float], _ texts: [String]?) -> HTTPAnswer
  {
    HTTPAnswer { json in
      json.array {
        for index in order {
          json.object {
            json.member("index", index)
            if let texts { json.member("text", texts[index]) }
            json.member("score", scores[index])
          }
        }
      }
    }
  }

  private static func ranks(
    _ order: ArraySlice<Int>, _ scores: [Float], _ texts: [String]?, _ model: String, tokens: Int
  ) -> HTTPAnswer {
    HTTPAnswer { json in
      json.object {
        json.member("model", model)
        json.key("results")
        json.array {
          for index in order {
            json.object {
              json.member("index", index)
              json.member("relevance_score", scores[index])
              if let texts {
                json.key("document")
                json.object { json.member("text", texts[index]) }
              }
            }
          }
        }
        json.key("usage")
        json.object { json.member("total_tokens", tokens) }
      }
    }
  }
}
