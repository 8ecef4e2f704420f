import VDSQCheckpoints
import VDSQFormat
import VDSQSemantics
import VDSQStreams
import VDSQTraining

/// `/classify`: by labels of the request, by an adapter, or by the model's own head.
extension Router {
  /// What becomes of the probabilities of a text.
  private struct Answering: Sendable {
    let model: ServedModel.Description
    let classifier: String?
    let top: Int
    let abstain: Float
    let outOfScope: String?
    let start: Int64
    let metrics: ServerMetrics
  }

  func classify(
    _ request: HTTPRequest, _ reply: @escaping Reply
  ) throws(RequestError) -> (@Sendable () -> Void)? {
    let start = Clock.now
    let fields = try RequestFields(
      request.body,
      known: [
        "inputs", "model", "labels", "adapter", "template", "temperature", "out_of_scope", "top",
        "abstain", "explain", "truncate", "truncation_direction", "nli", "multi_label",
      ])
    let catalog = catalog.current
    let adapterName = try fields.text("adapter")
    let labels = try labels(fields)
    guard adapterName == nil || labels == nil else {
      throw .invalid("labels", "an adapter brings its own labels; leave them out")
    }
    let adapter = try adapterName.map { (name) throws(RequestError) in
      guard let adapter = catalog.adapter(name) else {
        throw RequestError(.notFound, "adapter: there is none of this name", field: "adapter")
      }
      return adapter
    }
    let usesEntailment = try fields.flag("nli") ?? false
    let inputs = try inputs(fields)
    var work = Job.Classification(
      choice: try choice(fields, adapter, labels, usesEntailment: usesEntailment))
    work.temperature = try fields.number("temperature")
    if let temperature = work.temperature, !(temperature > 0 && temperature.isFinite) {
      throw .invalid("temperature", "is not above 0")
    }
    if case .own = work.choice, fields.value("temperature") != nil {
      throw .invalid("temperature", "is of labels and adapters, not of the model's own head")
    }
    work.top = try fields.integer("top", in: 1...65536) ?? 1
    let explains = try fields.flag("explain") ?? false
    if explains {
      if case .own = work.choice { throw .invalid("explain", "needs labels or an adapter") }
      guard !usesEntailment, adapter?.isMultiLabel != true else {
        throw .invalid("explain", "is of one label, and goes without nli")
      }
      guard inputs.inputs.count <= limits.explanations else {
        throw RequestError(
          .batchTooLarge, "explain: at most \(limits.explanations) texts are explained at a time")
      }
      work.keepsStates = true
    }
    let (abstain, outOfScope) = (try abstention(fields), try fields.text("out_of_scope"))
    let truncates = try truncates(fields, default: true)
    let model = try model(
      fields, for: usesEntailment ? "tell what follows from a text" : "classify"
    ) { model in
      if let adapter { return model.name == adapter.model }
      if usesEntailment { return model.entails }
      return labels != nil ? model.labels.isEmpty : !model.labels.isEmpty
    }
    let isOwn = if case .own = work.choice { true } else { false }
    let answering = Answering(
      model: model, classifier: adapter?.name ?? (isOwn ? model.name : nil), top: work.top,
      abstain: abstain, outOfScope: outOfScope ?? adapter?.outOfScope, start: start,
      metrics: metrics)
    guard explains else {
      return try run(
        .classify(work), inputs.inputs, model: model, truncates: truncates, route: .classify,
        reply: reply
      ) { Self.answer($0, answering, explanations: nil) }
    }
    let learner = learner
    let job = Job(
      model: model.name, inputs: inputs.inputs, work: .classify(work), truncates: truncates
    ) { result in
      do throws(RequestError) {
        let answer = try result.get()
        try learner.submit { learner in
          do throws(RequestError) {
            let explanations = try learner.explain(answer, of: model)
            reply(Self.answer(answer, answering, explanations: explanations))
          } catch { reply(HTTPAnswer(error, for: .classify)) }
        }
      } catch { reply(HTTPAnswer(error, for: .classify)) }
    }
    try engine.submit(job)
    return { [engine] in engine.cancel(job) }
  }

  private func abstention(_ fields: RequestFields) throws(RequestError) -> Float {
    guard let abstain = try fields.number("abstain") else { return 0 }
    guard abstain > 0, abstain <= 1 else {
      throw .invalid("abstain", "is not above 0 and at most 1")
    }
    return abstain
  }

  private func choice(
    _ fields: RequestFields, _ adapter: ServedAdapter.Description?, _ labels: [Label]?,
    usesEntailment: Bool
  ) throws(RequestError) -> Job.Classification.Choice {
    let template = try template(fields)
    let isMultiLabel = try fields.flag("multi_label") ?? false
    guard !isMultiLabel || usesEntailment else { throw .invalid("multi_label", "goes with nli") }
    if let adapter {
      guard template == nil, !usesEntailment else {
        throw .invalid("adapter", "has its own template, and goes without nli")
      }
      return .adapter(adapter.name)
    }
    guard let labels else {
      guard template == nil, !usesEntailment else {
        throw .invalid("labels", "is missing; a template and nli need labels")
      }
      return .own
    }
    return .labels(
      LabelRequest(
        labels: labels, template: template, usesEntailment: usesEntailment,
        isMultiLabel: isMultiLabel))
  }

  /// Texts, or pairs of texts for a model's own head.
  private func inputs(_ fields: RequestFields) throws(RequestError) -> RequestInputs {
    try RequestInputs(
      try fields.needed("inputs"), field: "inputs", limits: limits, takesIDs: false)
  }

  func template(_ fields: RequestFields) throws(RequestError) -> Template? {
    guard let text = try fields.text("template") else { return nil }
    guard text.utf8.count <= 1000 else { throw .invalid("template", "is longer than 1000 bytes") }
    do { return try Template(text) } catch { throw .invalid("template", error.message) }
  }

  /// Labels: an array of names, or an object of names with words.
  func labels(_ fields: RequestFields) throws(RequestError) -> [Label]? {
    guard let json = fields.value("labels") else { return nil }
    var labels: [Label] = []
    if let members = json.members {
      for member in members {
        guard let words = member.value.elements else {
          throw .invalid("labels", "\(member.key) has no array of words")
        }
        var texts: [String] = []
        for word in words {
          guard let text = word.text, !text.isEmpty else {
            throw .invalid("labels", "\(member.key): a word is no string, or empty")
          }
          texts.append(text)
        }
        labels.append(
          texts.isEmpty ? Label(name: member.key) : Label(name: member.key, words: texts))
      }
    } else if let names = try fields.texts("labels") {
      labels = names.map { Label(name: $0) }
    }
    if let name = try fields.text("out_of_scope"),
      !labels.contains(where: { $0.name.utf8.elementsEqual(name.utf8) }),
      fields.value("abstain") == nil
    {
      throw .invalid("out_of_scope", "needs abstain, or an adapter that learned it")
    }
    let words = labels.reduce(0) { $0 + $1.words.count }
    guard labels.count <= limits.labels, words <= limits.words else {
      throw RequestError(
        .batchTooLarge, "labels: at most \(limits.labels) labels with \(limits.words) words")
    }
    for label in labels {
      for text in [label.name] + label.words where text.utf8.count > 1000 {
        throw .invalid("labels", "a name or a word is longer than 1000 bytes")
      }
    }
    do { return try Label.checked(labels) } catch { throw .invalid("labels", error.message) }
  }

  // MARK: Answers

  private static func answer(
    _ answer: Job.Answer, _ how: Answering, explanations: [Explanation?]?
  ) -> HTTPAnswer {
    HTTPAnswer { json in
      json.object {
        json.member("model", how.model.name)
        if let classifier = how.classifier, classifier != how.model.name {
          json.member("adapter", classifier)
        }
        json.key("results")
        json.array {
          for (index, outcome) in answer.outcomes.enumerated() {
            guard case .scores(let scores) = outcome.value else { continue }
            json.object {
              write(outcome, scores, how, to: json)
              if let explanation = explanations?[index] {
                json.key("explanation")
                write(explanation, to: json)
              }
            }
          }
        }
        json.member(
          "milliseconds", Double(Clock.now - how.start) / Double(Clock.millisecond), decimals: 3)
      }
    }
  }

  private static func write(
    _ outcome: Outcome, _ scores: Outcome.Scores, _ how: Answering, to json: JSONWriter
  ) {
    let best = scores.candidates[0]
    let given = scores.given
    let abstains =
      outcome.isBlank || best.probability < how.abstain || given.map(\.isEmpty) ?? false
    if abstains { how.metrics.abstained() }
    if let name = how.classifier {
      for label in given ?? (abstains ? [] : [best.label]) { how.metrics.gave(label, by: name) }
    }
    json.member("label", abstains ? how.outOfScope : best.label)
    json.member("probability", best.probability)
    json.member("abstained", abstains)
    if let given { json.member("labels", given) }
    if how.top > 1 {
      json.key("candidates")
      json.array {
        for candidate in scores.candidates {
          json.object {
            json.member("label", candidate.label)
            json.member("probability", candidate.probability)
          }
        }
      }
    }
    json.member("tokens", outcome.tokens)
    json.member("truncated", outcome.isTruncated)
  }

  private static func write(_ explanation: Explanation, to json: JSONWriter) {
    json.object {
      write("text", explanation.text, to: json)
      write("label", explanation.label, to: json)
      write("shared", explanation.shared, to: json)
      if let change = explanation.change {
        json.key("examples")
        json.object {
          if let labels = change.labels {
            json.member("toward_label", labels.toward)
            json.member("away_label", labels.away)
          }
          write("toward", change.toward, to: json)
          write("away", change.away, to: json)
        }
      }
      json.key("by_words")
      json.array {
        for label in explanation.labels.prefix(10) {
          json.object {
            json.member("label", label.label)
            json.member("probability", label.probabilityByWords)
          }
        }
      }
    }
  }

  private static func write(_ name: String, _ words: [Explanation.Leaning], to json: JSONWriter) {
    json.key(name)
    json.array {
      for word in words {
        json.object {
          json.member("token", word.token)
          json.member("cosine", word.cosine)
        }
      }
    }
  }
}
