package import VDSQCheckpoints
package import VDSQFormat

extension ModelSource {
  /// Reads the configuration and finds the tensors of a checkpoint.
  ///
  /// - Parameters:
  ///   - dropsHead: whether a head that the model was finetuned with may be left out.
  ///   - patterns: tensors that may be left out, by their names; `*` stands for anything.
  /// - Throws: `badInput` if the architecture, its configuration or a tensor is not supported.
  package static func read(
    _ folder: Checkpoint, dropsHead: Bool = false, ignoring patterns: [String] = []
  ) throws(VDSQError) -> ModelSource {
    let ignored = IgnoredTensors(patterns)
    let names = try CheckpointArchitecture.of(folder)
    let config = ConfigReader(folder)
    var warnings = try config.check(names.settings, code: names.code)
    var configuration = try names.configuration(config)
    if let graph = folder.graph { try configuration.follow(graph) }
    warnings += configuration.warnings
    let sentence = try SentenceSettings(folder)
    warnings += sentence.warnings
    guard sentence.hasPooling || !sentence.isSentenceModel || dropsHead else {
      throw VDSQError(
        .badInput,
        "\(folder.root)/modules.json: no Pooling; the model makes no vectors of texts", .trainedHead
      )
    }
    let isMasked =
      !sentence.isSentenceModel && !names.head.transform.isEmpty
      && folder.tensors[names.head.transform[0].sources[0]] != nil
    let ownHead =
      dropsHead || sentence.isSentenceModel
      ? nil
      : try OutputHeadSource(
        folder, names, activation: sentence.activation,
        TensorResolver(
          folder: folder, prefix: "", config: config, size: configuration.size))
    guard !sentence.isCrossEncoder || ownHead != nil || dropsHead else {
      throw .badInput(
        "\(folder.root)/config_sentence_transformers.json: model_type CrossEncoder is not supported "
          + "without a classification head of \(folder.config["architectures"]?.brief ?? "a model")"
      )
    }
    // The library of static embeddings obeys one file, sentence-transformers the other.
    if configuration.architecture.isStatic, config["normalize"]?.boolean == false,
      sentence.modules?.modules.contains(.normalize) == true
    {
      throw .badInput(
        "\(config.path): normalize is false, but modules.json has Normalize; make them agree")
    }
    configuration.architecture.use(
      sentence, head: isMasked && ownHead == nil ? names.head : nil,
      own: ownHead?.description.reading, headPooling: configuration.headPooling)
    if let graph = folder.graph {
      try configuration.architecture.follow(graph, declares: sentence.isSentenceModel)
    }
    let found = TensorResolver.prefix(names.prefixes, of: names.embeddings[0], in: folder)
    let kinds = TensorKinds(
      names, prefix: found, layers: configuration.architecture.layers)
    let ownTensors = Set(ownHead?.tensors.flatMap { $0.rows.parts.map(\.tensor.name) } ?? [])
    if folder.isFolder, let head = TrainedHead(folder, kinds, except: ownTensors) {
      let rest =
        sentence.isSentenceModel ? .model : head.rest(configuration.architecture.family)
      // The folder of a sentence encoder says that the vectors are what the model is for.
      let isIgnored = head.tensors.allSatisfy { ignored.contains($0.name) }
      warnings.append(
        try head.check(rest, dropsHead: dropsHead || sentence.hasPooling || isIgnored))
      if case .lastToken = rest {
        configuration.architecture.pooling = .lastToken
        configuration.architecture.normalize = false
      }
    }
    guard let prefix = found else {
      throw .badInput(
        "\(folder.path): tensor \(names.prefixes[0])\(names.embeddings[0].sources[0]) is missing")
    }
    let architecture = configuration.architecture
    if architecture.family == .bidirectionalEncoder, architecture.pooling == .lastToken {
      warnings.append(
        "\(folder.root): pooling: vectors are the states of the last token, which is usually [SEP]")
    }
    let size = configuration.size
    let resolver = TensorResolver(
      folder: folder, prefix: prefix, config: config, size: size)
    var metadata = architecture.metadata(modelType: config["model_type"]?.text ?? "")
    let readsPairs = sentence.isCrossEncoder && ownHead != nil
    if sentence.hasPooling || readsPairs { sentence.prompts.store(in: &metadata) }
    if let inputs = sentence.modules?.inputs, inputs != architecture.vectorSize {
      throw .badInput(
        "\(folder.root)/modules.json: a module reads \(inputs) elements; pooling makes "
          + "\(architecture.vectorSize)")
    }
    ownHead?.description.store(in: &metadata)
    var source = ModelSource(
      folder: folder, names: names, kinds: kinds, metadata: metadata,
      vocabularySize: architecture.vocabularySize, lowercases: sentence.lowercases)
    source.warnings = warnings
    source.embeddings = try resolver.tensors(names.embeddings).map {
      $0.role == .positionTable ? $0.withoutRows(before: configuration.positionOffset) : $0
    }
    source.addConstants(configuration)
    for layer in 0..<architecture.storedLayers {
      source.layers.append(
        try resolver.tensors(names.layer, layer: layer).map {
          $0.scaled(
            by: configuration.outputFactor, if: ["attention.output", "feed_forward.down"])
        })
    }
    // Vectors of a sentence encoder are no logits.
    let factor = architecture.hasLanguageModelHead ? configuration.logitFactor : 1
    source.head =
      try resolver.tensors(names.final).map {
        $0.scaled(by: factor, if: ["final_norm"])
      } + (ownHead?.tensors ?? [])
      + (sentence.modules?.tensors ?? [])
    source.headReading = ownHead?.description.reading
    if architecture.hasLanguageModelHead {
      try source.add(
        names.head, architecture.family, config,
        TensorResolver(
          folder: folder, prefix: "", config: config, size: size))
    }
    try source.checkUnused(ignored)
    source.tellUndeclared(ignored)
    if let line = try ignored.check(source.leftOut.map(\.name), folder.path) {
      source.warnings.append(line)
    }
    return source
  }

  /// Tells of tensors that would change what the model computes if the configuration declared them.
  private mutating func tellUndeclared(_ ignored: IgnoredTensors) {
    let names = leftOut.filter { $0.kind == .undeclared && !ignored.contains($0.name) }
      .map(\.name)
    guard !names.isEmpty else { return }
    let count = names.count == 1 ? "a tensor is" : "\(names.count) tensors are"
    let more = names.count > 4 ? " and \(names.count - 4) more" : ""
    warnings.append(
      "\(folder.path): \(count) left out, as in transformers, because the model that "
        + "config.json describes does not have \(names.count == 1 ? "it" : "them"): \(names.prefix(4).joined(separator: ", "))\(more)"
    )
  }

  /// - Throws: `badInput` if the checkpoint is a single file and has a tensor that is not used: the
  ///   model would compute more than this program.
  private func checkUnused(_ ignored: IgnoredTensors) throws(VDSQError) {
    let used = used
    for tensor in folder.tensors.values.sorted(by: { $0.name < $1.name })
    where !used.contains(tensor.name) && !folder.isIgnorable(tensor.name)
      && !ignored.contains(tensor.name)
    {
      throw VDSQError(
        .badInput,
        "\(tensor.file.path): tensor \(tensor.name) is not part of the architecture as it is "
          + "supported; without it the model would compute something else", .ignoredTensors)
    }
  }

  /// Adds tensors that the runtime needs and checkpoints do not have.
  private mutating func addConstants(_ configuration: CheckpointConfiguration) {
    let architecture = configuration.architecture
    if architecture.tokenTypes > 0,
      !embeddings.contains(where: { $0.rows.name == "embeddings.token_type" })
    {
      // The encoder adds a token type to the embeddings. Zeros change nothing.
      let columns = architecture.embeddingSize
      constants.append(
        Constant(
          name: "embeddings.token_type", shape: [1, columns],
          values: [Float](repeating: 0, count: columns)))
    }
    for (name, values) in [
      ("rotary.frequencies", configuration.rotaryFrequencies),
      ("rotary.local_frequencies", configuration.localRotaryFrequencies),
      ("attention.slopes", configuration.distanceSlopes),
      ("attention.distance_places", configuration.distancePlaces),
    ] where !values.isEmpty {
      constants.append(Constant(name: name, shape: [values.count], values: values))
    }
  }

  private mutating func add(
    _ head: LanguageModelHead, _ family: Architecture.Family, _ config: ConfigReader,
    _ resolver: TensorResolver
  ) throws(VDSQError) {
    self.head += try resolver.tensors(head.transform)
    vocabulary = embeddings[0].rows
    // If a checkpoint stores both tied tensors, only the configuration says that they are tied. A
    // masked language model without a stored head has a tied one, whatever its configuration says.
    let isTied = try config.flag("tie_word_embeddings", default: head.isTiedByDefault)
    if !isTied, family == .causalDecoder || folder.tensors[head.weight] != nil {
      guard folder.tensors[head.weight] != nil || folder.omitted[head.weight] != nil else {
        throw .badInput(
          "\(folder.path): tensor \(head.weight) is missing: the model has no head that predicts "
            + "tokens. The folder of a sentence encoder has modules.json, which says how states "
            + "become vectors")
      }
      let rule = TensorRule("head.weight", [head.weight], .wordTable, [.vocabulary, .embedding])
      let tensor = try resolver.tensors([rule])[0]
      self.head.append(tensor)
      vocabulary = tensor.rows
    }
    if let bias = head.biases.first(where: { folder.tensors[$0] != nil }) {
      self.head += try resolver.tensors(
        [TensorRule("head.bias", [bias], .vector, [.vocabulary])])
    }
  }
}

extension Architecture {
  /// Sets how states become the vector of a text.
  ///
  /// A causal decoder is a language model unless its folder declares a sentence encoder.
  ///
  /// - Parameters:
  ///   - head: the head of a masked language model; nil for a sentence encoder.
  ///   - reading: what the model's own head reads; nil if there is none.
  ///   - headPooling: how it pools, if not as usual.
  fileprivate mutating func use(
    _ sentence: SentenceSettings, head: LanguageModelHead?, own reading: OutputHead.Reading?,
    headPooling: Pooling?
  ) {
    if reading == .texts {
      // The head reads the first token's state, or the last one's of a causal model.
      maximumTokens = min(maximumTokens, sentence.maximumTokens ?? maximumTokens)
      pooling = headPooling ?? (family == .causalDecoder ? .lastToken : .cls)
      normalize = false
      return
    }
    if reading == .tokens, family == .causalDecoder { pooling = .lastToken }
    guard family == .bidirectionalEncoder || sentence.isSentenceModel else { return }
    if !isStatic { maximumTokens = min(maximumTokens, sentence.maximumTokens ?? maximumTokens) }
    if let head {
      pooling = .mask
      headActivation = head.activation ?? activation
      return
    }
    pooling = sentence.modules?.pooling ?? .mean
    guard let modules = sentence.modules else { return }
    morePoolings = modules.morePoolings
    includesPrompt = modules.includesPrompt
    // The library of static embeddings reads no modules, but its own configuration.
    let own: [OutputModule] = isStatic && normalize ? [.normalize] : []
    let wanted = modules.modules.isEmpty ? own : modules.modules
    normalize = wanted == [.normalize]
    if !normalize { self.modules = wanted }
  }
}

extension ModelSource.Tensor {
  /// A tensor whose elements are multiplied by a factor, if it belongs to a part of the model.
  fileprivate func scaled(by factor: Float, if parts: [String]) -> ModelSource.Tensor {
    let name = rows.name
    var isPart = false
    for part in parts where name.contains("\(part).") { isPart = true }
    guard factor != 1, isPart else { return self }
    var scaled = rows
    scaled.scaleRows(from: 0, by: [Float](repeating: factor, count: rows.rows))
    return ModelSource.Tensor(rows: scaled, role: role, shape: shape)
  }

  /// A table without its first rows.
  fileprivate func withoutRows(before first: Int) -> ModelSource.Tensor {
    guard first > 0 else { return self }
    let part = rows.parts[0]
    return ModelSource.Tensor(
      rows: RowSource(
        name: rows.name, columns: rows.columns,
        parts: [.init(tensor: part.tensor, rows: first..<part.rows.upperBound)]),
      role: role, shape: [shape[0] - first, shape[1]])
  }
}
