import VDSQCheckpoints
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQStreams
import VDSQTraining

/// `/adapters`: lists, trains, teaches and removes adapters.
extension Router {
  func adapters(_ request: HTTPRequest, _ reply: @escaping Reply) throws(RequestError) {
    let catalog = catalog.current
    guard request.path != Route.adapters.rawValue else {
      return reply(
        HTTPAnswer { json in
          json.object {
            json.key("adapters")
            json.array { for adapter in catalog.adapters { Self.write(adapter, to: json) } }
          }
        })
    }
    let name = String(request.path.dropFirst(Route.adapters.rawValue.count + 1))
    guard ServerOptions.isName(name) else {
      throw RequestError(
        .notFound,
        "an adapter's name has up to 64 letters, digits, dots, hyphens and underscores")
    }
    if request.method == .PUT { return try put(name, request, catalog, reply) }
    guard let adapter = catalog.adapter(name) else {
      throw RequestError(.notFound, "\(name): there is no such adapter")
    }
    switch request.method {
    case .POST: try teach(adapter, request, catalog, reply)
    case .DELETE:
      try checkChangeable(adapter)
      let answer = HTTPAnswer { json in json.object { json.member("deleted", name) } }
      try learner.submit { learner in
        learner.remove(adapter) { error in
          reply(error.map { HTTPAnswer($0, for: .adapters) } ?? answer)
        }
      }
    default: reply(HTTPAnswer { json in Self.write(adapter, to: json) })
    }
  }

  private static func write(_ adapter: ServedAdapter.Description, to json: JSONWriter) {
    json.object {
      json.member("name", adapter.name)
      json.member("model", adapter.model)
      json.member("labels", adapter.labels)
      json.member("out_of_scope", adapter.outOfScope)
      json.member("multi_label", adapter.isMultiLabel)
      json.member("changeable", adapter.isChangeable)
    }
  }

  private func checkStored() throws(RequestError) {
    guard options.adapterFolder != nil else {
      throw RequestError(
        .forbidden, "the server was started without --state-directory, and keeps no adapters")
    }
  }

  private func checkChangeable(_ adapter: ServedAdapter.Description) throws(RequestError) {
    try checkStored()
    guard adapter.isChangeable else {
      throw RequestError(
        .forbidden,
        "\(adapter.name): the server was started with this adapter; requests do not change it")
    }
  }

  // MARK: PUT

  private func put(
    _ name: String, _ request: HTTPRequest, _ catalog: Catalog, _ reply: @escaping Reply
  ) throws(RequestError) {
    let fields = try RequestFields(
      request.body,
      known: ["examples", "labels", "model", "method", "template", "out_of_scope"])
    try checkStored()
    if let adapter = catalog.adapter(name) { try checkChangeable(adapter) }
    guard catalog.adapter(name) != nil || catalog.adapters.count < limits.adapters else {
      throw RequestError(.storage, "there are \(limits.adapters) adapters already; delete one")
    }
    let training = try training(name, fields)
    let published = self.catalog
    let count = training.examples.count
    try learner.submit { learner in
      learner.train(training) { error in
        if let error { return reply(HTTPAnswer(error, for: .adapters)) }
        let labels = published.current.adapter(name)?.labels ?? []
        var answer = HTTPAnswer { json in
          json.object {
            json.member("name", name)
            json.member("model", training.model.name)
            json.member("labels", labels)
            json.member("examples", count)
          }
        }
        answer.status = 201
        reply(answer)
      }
    }
  }

  private func training(
    _ name: String, _ fields: RequestFields
  ) throws(RequestError) -> TrainingRequest {
    let model = try model(fields, for: "learn labels")
    let examples = try examples(fields)
    // An out-of-scope label comes from examples.
    let labels = try putLabels(fields)
    guard !examples.isEmpty || !labels.isEmpty else {
      throw .invalid("examples", "send examples, or labels to begin with")
    }
    let methods: [TrainingMethod] = [.frozen, .prior, .knn, .calibration, .lowRank]
    let word = try fields.choice("method", of: ["online"] + methods.map(\.rawValue))
    let method: TrainingMethod? =
      switch word {
      case "online": nil
      case let word?: TrainingMethod(rawValue: word)
      // What has no examples can only begin.
      case nil: examples.isEmpty ? nil : .frozen
      }
    guard method == nil || !examples.isEmpty else {
      throw .invalid("method", "needs examples; \"online\" begins without any")
    }
    return TrainingRequest(
      name: name, model: model, labels: labels, examples: examples,
      outOfScope: try fields.text("out_of_scope"), template: try template(fields), method: method)
  }

  private func putLabels(_ fields: RequestFields) throws(RequestError) -> [Label] {
    guard let json = fields.value("labels") else { return [] }
    let alone = try RequestFields(
      JSON(members: [(key: "labels", value: json)]), prefix: "", known: ["labels"])
    return try labels(alone) ?? []
  }

  private func examples(_ fields: RequestFields) throws(RequestError) -> [Examples.Example] {
    guard let json = fields.value("examples") else { return [] }
    guard let elements = json.elements else { throw .invalid("examples", "is no array") }
    guard elements.count <= limits.examples else {
      throw RequestError(
        .batchTooLarge,
        "\(elements.count) examples; at most \(limits.examples) are learned at a time")
    }
    var examples: [Examples.Example] = []
    for (index, element) in elements.enumerated() {
      let one = try RequestFields(
        element, prefix: "examples[\(index)]", known: ["text", "label"])
      examples.append(
        try example(
          try one.neededText("text"), try one.neededText("label"), "examples[\(index)]"))
    }
    return examples
  }

  private func example(
    _ text: String, _ label: String, _ place: String
  ) throws(RequestError) -> Examples.Example {
    let bytes = try RequestInputs.bytes(text, "\(place).text", limits)
    guard !bytes.withUnsafeBytes({ BlankText.isBlank($0) }) else {
      throw .invalid("\(place).text", "has nothing to read")
    }
    if let fault = Label.fault(in: label) { throw .invalid("\(place).label", fault) }
    guard label.utf8.count <= 1000 else {
      throw .invalid("\(place).label", "is longer than 1000 bytes")
    }
    return Examples.Example(text: text, label: label)
  }

  // MARK: POST

  private func teach(
    _ adapter: ServedAdapter.Description, _ request: HTTPRequest, _ catalog: Catalog,
    _ reply: @escaping Reply
  ) throws(RequestError) {
    let fields = try RequestFields(
      request.body, known: ["text", "label", "add_label", "undo", "forget"])
    try checkChangeable(adapter)
    guard let model = catalog.model(adapter.model) else {
      throw RequestError(.notFound, "\(adapter.model): no such model is served")
    }
    let undoes = try fields.flag("undo") ?? false
    let forgotten = try fields.text("forget")
    let teaches = fields.value("text") != nil || fields.value("label") != nil
    guard [undoes, forgotten != nil, teaches].filter({ $0 }).count == 1 else {
      throw .invalid("text", "send text and label, or undo, or forget")
    }
    guard teaches || fields.value("add_label") == nil else {
      throw .invalid("add_label", "goes with text and label")
    }
    if undoes {
      return try change(adapter, model, reply) { (learner, _) throws(VDSQError) in
        let label = try learner.undo()
        return { $0.member("undone", label) }
      }
    }
    if let forgotten {
      return try change(adapter, model, reply) { (learner, _) throws(VDSQError) in
        try learner.forget(forgotten, context: "forget")
        return { $0.member("forgotten", forgotten) }
      }
    }
    let example = try example(
      try fields.neededText("text"), try fields.neededText("label"), "the example")
    let adds = try fields.flag("add_label") ?? false
    if adds, adapter.labels.count >= limits.labels,
      !adapter.labels.contains(where: { $0.utf8.elementsEqual(example.label.utf8) })
    {
      throw RequestError(.batchTooLarge, "add_label: there are \(limits.labels) labels already")
    }
    let metrics = metrics
    try change(adapter, model, reply) { (learner, encoder) throws(VDSQError) in
      if adds, !adapter.labels.contains(where: { $0.utf8.elementsEqual(example.label.utf8) }) {
        try learner.add(
          try LabelSet(
            [Label(name: example.label)], encoder: encoder, template: try learner.template()))
      }
      let outcome = try learner.learn(example, context: "")
      metrics.learned(1)
      return { json in
        json.member("label", outcome.label)
        json.member("predicted", outcome.predicted)
        json.member("probability", outcome.probability)
      }
    }
  }

  /// Changes an adapter; `body` gives what the answer has besides the number of examples.
  private func change(
    _ adapter: ServedAdapter.Description, _ model: ServedModel.Description,
    _ reply: @escaping Reply,
    _ body:
      @escaping @Sendable (OnlineLearner, TextEncoder) throws(VDSQError) -> (JSONWriter) -> Void
  ) throws(RequestError) {
    try learner.submit { learner in
      learner.change(adapter, of: model) { (online, encoder) throws(VDSQError) in
        let write = try body(online, encoder)
        let (labels, count) = (online.labels, online.count)
        return HTTPAnswer { json in
          json.object {
            json.member("adapter", adapter.name)
            write(json)
            json.member("examples", count)
            json.member("labels", labels)
          }
        }
      } done: { result in
        switch result {
        case .success(let answer): reply(answer)
        case .failure(let error): reply(HTTPAnswer(error, for: .adapters))
        }
      }
    }
  }
}
