/// The values of the key `architecture`, which determine the other keys (docs/format.md).
private enum Form: CaseIterable {
  /// An encoder with the layers of BERT. Their properties are not written.
  case bert
  /// Any other encoder.
  case encoder
  /// A causal decoder.
  case decoder
  /// Static embeddings.
  case table

  var name: String {
    switch self {
    case .bert: "bert"
    case .encoder: "encoder"
    case .decoder: "decoder"
    case .table: "embeddings"
    }
  }

  init?(named name: String) {
    for form in Self.allCases where form.name.utf8.elementsEqual(name.utf8) {
      self = form
      return
    }
    return nil
  }
}

extension Architecture {
  /// Reads the metadata of a model's container.
  ///
  /// - Throws: `badInput` if a value is missing, unknown or out of range. The message names its
  ///   key.
  package init(_ metadata: Metadata) throws(VDSQError) {
    let name = try metadata.text("architecture")
    guard let form = Form(named: name) else {
      let supported = Form.allCases.map { $0.name }.joined(separator: ", ")
      throw .badInput(
        "\(metadata.path): architecture \(name) is not supported; supported: \(supported)")
    }
    if form == .table {
      try self.init(table: metadata)
    } else {
      try self.init(layers: metadata, form)
    }
  }

  /// Reads the metadata of a model with layers.
  private init(layers metadata: Metadata, _ form: Form) throws(VDSQError) {
    family = form == .decoder ? .causalDecoder : .bidirectionalEncoder
    hiddenSize = try metadata.integer("hidden_size", in: 1...65536)
    embeddingSize = try metadata.find(integer: "embedding_size", in: 1...65536) ?? hiddenSize
    layers = try metadata.integer("layers", in: 1...1024)
    heads = try metadata.integer("heads", in: 1...4096)
    intermediateSize = try metadata.integer("intermediate_size", in: 1...1 << 20)
    vocabularySize = try metadata.integer("vocabulary_size", in: 1...1 << 24)
    activation = try metadata.activation("activation")
    headActivation =
      metadata.find("head_activation") == nil
      ? activation : try metadata.activation("head_activation")
    tokenTypes =
      form == .decoder
      ? 0 : try metadata.integer("token_types", in: (form == .bert ? 1 : 0)...1024)
    if form == .decoder, metadata.find("pooling") == nil {
      pooling = .nextToken
      normalize = false
    } else {
      pooling = try metadata.pooling(isMasked: form != .decoder)
      normalize = try metadata.flag("normalize")
      if metadata.find("more_poolings") != nil, pooling != .mask {
        morePoolings = try metadata.morePoolings()
      }
      if metadata.find("modules") != nil, pooling != .mask {
        modules = try OutputModule.list("modules", in: metadata)
      }
      includesPrompt = try metadata.find(integer: "include_prompt", in: 0...1) != 0
    }
    if form == .bert {
      guard hiddenSize % heads == 0 else {
        throw .badInput("\(metadata.path): metadata: hidden_size is not a multiple of heads")
      }
      keyValueHeads = heads
      headSize = hiddenSize / heads
      positions = .learned(rows: try metadata.integer("positions", in: 2...1 << 20))
      normPlacement = .post
      norm = .layerNorm
      normEpsilon = try metadata.number("layer_norm_epsilon")
      isGated = false
      hasParallelResidual = false
      slidingWindow = nil
    } else {
      keyValueHeads = try metadata.integer("key_value_heads", in: 1...heads)
      headSize = try metadata.integer("head_size", in: 1...65536)
      positions = try metadata.positionEncoding(headSize: headSize)
      normPlacement = try metadata.normPlacement(isDecoder: form == .decoder)
      embeddingScale = try metadata.find(number: "embedding_scale") ?? 1
      norm = try metadata.flag("rms_norm") ? .rmsNorm : .layerNorm
      normEpsilon = try metadata.number("norm_epsilon")
      isGated = try metadata.flag("gated")
      hasParallelResidual = try metadata.flag("parallel_residual")
      slidingWindow = try metadata.slidingWindow(layers: layers)
      distanceBias = try metadata.distanceBias()
      hasLocalRotary = try metadata.find(integer: "local_rotary", in: 0...1) == 1
      attentionDivisor = try metadata.find(number: "attention_divisor")
      attentionCap = try metadata.cap("attention_cap", form)
      logitCap = try metadata.cap("logit_cap", form)
      skipsFirstNorm = try metadata.find(integer: "first_norm", in: 0...1) == 0
      layersPerGroup = try metadata.find(integer: "layers_per_group", in: 1...layers) ?? 1
      rotaryLayers = try metadata.rotaryLayers(layers)
      if form == .encoder {
        hasEmbeddingNorm = try metadata.find(integer: "embedding_norm", in: 0...1) != 0
      }
      guard heads % keyValueHeads == 0, heads * headSize <= 1 << 20 else {
        throw .badInput("\(metadata.path): metadata: numbers of heads do not agree")
      }
      guard layers % layersPerGroup == 0 else {
        throw .badInput("\(metadata.path): metadata: layers_per_group does not divide layers")
      }
      guard (1e-6...1e6).contains(attentionDivisor ?? 1), embeddingScale.isFinite else {
        throw .badInput(
          "\(metadata.path): metadata: attention_divisor is not between 1e-6 and 1e6")
      }
      guard !hasLocalRotary || slidingWindow != nil && positions.rotaryDimensions > 0 else {
        throw .badInput("\(metadata.path): metadata: local_rotary without rotary local layers")
      }
    }
    let rows = positions.learnedRows
    maximumTokens = try metadata.integer("maximum_tokens", in: 2...(rows > 0 ? rows : 1 << 24))
  }

  /// Reads the metadata of static embeddings.
  private init(table metadata: Metadata) throws(VDSQError) {
    self.init(
      table: try metadata.integer("hidden_size", in: 1...65536),
      vocabularySize: try metadata.integer("vocabulary_size", in: 1...1 << 24),
      maximumTokens: try metadata.integer("maximum_tokens", in: 2...1 << 24))
    pooling = try metadata.pooling(isMasked: false)
    normalize = try metadata.flag("normalize")
    if metadata.find("modules") != nil { modules = try OutputModule.list("modules", in: metadata) }
    includesPrompt = try metadata.find(integer: "include_prompt", in: 0...1) != 0
    droppedToken = try metadata.find(integer: "dropped_token", in: 0...vocabularySize - 1)
    maximumCharacters = try metadata.find(integer: "maximum_characters", in: 1...1 << 30)
  }

  /// Whether the model is an encoder with the layers of BERT. Sizes, pooling and head may differ.
  package var isBERT: Bool {
    family == .bidirectionalEncoder && keyValueHeads == heads && queryWidth == hiddenSize
      && positions.learnedRows > 0 && tokenTypes > 0 && normPlacement == .post
      && norm == .layerNorm && !isGated && !hasParallelResidual && slidingWindow == nil
      && distanceBias == .none && attentionDivisor == nil && hasEmbeddingNorm
      && embeddingScale == 1 && layersPerGroup == 1 && pooling != .nextToken
  }

  /// The metadata of a model's container, in the order of the file.
  ///
  /// - Parameter modelType: `model_type` of the checkpoint's `config.json`.
  package func metadata(modelType: String) -> Metadata {
    var metadata = Metadata()
    if isStatic {
      metadata.set("architecture", .text(Form.table.name))
      metadata.set("model_type", .text(modelType))
      metadata.set("hidden_size", .integer(hiddenSize))
      metadata.set("vocabulary_size", .integer(vocabularySize))
      metadata.set("maximum_tokens", .integer(maximumTokens))
      if let droppedToken { metadata.set("dropped_token", .integer(droppedToken)) }
      if let maximumCharacters {
        metadata.set("maximum_characters", .integer(maximumCharacters))
      }
      setOutput(in: &metadata)
      return metadata
    }
    let form = family == .causalDecoder ? Form.decoder : isBERT ? .bert : .encoder
    metadata.set("architecture", .text(form.name))
    metadata.set("model_type", .text(modelType))
    metadata.set("hidden_size", .integer(hiddenSize))
    if embeddingSize != hiddenSize { metadata.set("embedding_size", .integer(embeddingSize)) }
    metadata.set("layers", .integer(layers))
    metadata.set("heads", .integer(heads))
    if form != .bert {
      metadata.set("key_value_heads", .integer(keyValueHeads))
      metadata.set("head_size", .integer(headSize))
    }
    metadata.set("intermediate_size", .integer(intermediateSize))
    metadata.set("vocabulary_size", .integer(vocabularySize))
    metadata.set("positions", .integer(positions.learnedRows))
    if form == .bert {
      metadata.set("token_types", .integer(tokenTypes))
      metadata.set("layer_norm_epsilon", .number(normEpsilon))
      metadata.set("activation", .text(activation.name))
      setOutput(in: &metadata)
      metadata.set("maximum_tokens", .integer(maximumTokens))
      return metadata
    }
    metadata.set("maximum_tokens", .integer(maximumTokens))
    metadata.set("rotary_dimensions", .integer(positions.rotaryDimensions))
    metadata.set("rotary_scale", .number(positions.rotaryScale))
    if embeddingScale != 1 { metadata.set("embedding_scale", .number(embeddingScale)) }
    metadata.set("rms_norm", .integer(norm == .rmsNorm ? 1 : 0))
    metadata.set("norm_epsilon", .number(normEpsilon))
    metadata.set("activation", .text(activation.name))
    metadata.set("gated", .integer(isGated ? 1 : 0))
    metadata.set("parallel_residual", .integer(hasParallelResidual ? 1 : 0))
    metadata.set("sliding_window", .integer(slidingWindow?.size ?? 0))
    var digits = ""
    for slides in slidingWindow?.slidingLayers ?? [] { digits += slides ? "1" : "0" }
    metadata.set("sliding_layers", .text(digits))
    if form == .encoder {
      metadata.set("pre_norm", .integer(normPlacement == .post ? 0 : 1))
      metadata.set("token_types", .integer(tokenTypes))
      if !hasEmbeddingNorm { metadata.set("embedding_norm", .integer(0)) }
    }
    setVariants(in: &metadata)
    if pooling != .nextToken { setOutput(in: &metadata) }
    return metadata
  }

  /// Writes what most models do not have.
  private func setVariants(in metadata: inout Metadata) {
    switch normPlacement {
    case .pre, .post: break
    case .output: metadata.set("output_norms", .text("alone"))
    case .around: metadata.set("output_norms", .text("beside"))
    }
    if skipsFirstNorm { metadata.set("first_norm", .integer(0)) }
    switch distanceBias {
    case .none: break
    case .learned(let limit): metadata.set("distance_limit", .integer(limit))
    case .linear: metadata.set("distance_slopes", .integer(1))
    case .disentangled(let rows, let limit):
      metadata.set("distance_rows", .integer(rows))
      metadata.set("distance_limit", .integer(limit))
    }
    if !rotaryLayers.isEmpty {
      var digits = ""
      for isRotated in rotaryLayers { digits += isRotated ? "1" : "0" }
      metadata.set("rotary_layers", .text(digits))
    }
    if hasLocalRotary { metadata.set("local_rotary", .integer(1)) }
    if let attentionDivisor { metadata.set("attention_divisor", .number(attentionDivisor)) }
    if let attentionCap { metadata.set("attention_cap", .number(attentionCap)) }
    if let logitCap { metadata.set("logit_cap", .number(logitCap)) }
    if layersPerGroup != 1 { metadata.set("layers_per_group", .integer(layersPerGroup)) }
  }

  /// Writes what follows the last layer of an encoder, or of a decoder that is no language model.
  private func setOutput(in metadata: inout Metadata) {
    if pooling == .mask { metadata.set("head_activation", .text(headActivation.name)) }
    metadata.set("pooling", .text(pooling.name))
    metadata.set("normalize", .integer(normalize ? 1 : 0))
    if !morePoolings.isEmpty {
      var names = ""
      for pooling in morePoolings { names += (names.utf8.isEmpty ? "" : " ") + pooling.name }
      metadata.set("more_poolings", .text(names))
    }
    if !modules.isEmpty { metadata.set("modules", .text(OutputModule.text(of: modules))) }
    if !includesPrompt { metadata.set("include_prompt", .integer(0)) }
  }
}

extension Metadata {
  fileprivate func flag(_ key: StaticString) throws(VDSQError) -> Bool {
    try integer(key, in: 0...1) == 1
  }

  /// What scores are capped by. Encoders have no caps.
  fileprivate func cap(_ key: StaticString, _ form: Form) throws(VDSQError) -> Double? {
    guard let cap = try find(number: key) else { return nil }
    guard form == .decoder, cap >= 1e-3, cap <= 1e6 else {
      throw .badInput("\(path): metadata: \(key) is not a number from 0.001 to 1e6 of a decoder")
    }
    return cap
  }

  fileprivate func activation(_ key: StaticString) throws(VDSQError) -> ActivationFunction {
    let name = try text(key)
    guard let activation = ActivationFunction(named: name) else {
      throw .badInput("\(path): metadata: \(key) \(name) is not supported")
    }
    return activation
  }

  /// - Parameter isMasked: whether the model can be a masked language model.
  fileprivate func pooling(isMasked: Bool) throws(VDSQError) -> Pooling {
    let name = try text("pooling")
    guard let pooling = Pooling(named: name), pooling != .nextToken, isMasked || pooling != .mask
    else {
      throw .badInput("\(path): metadata: pooling \(name) is not supported")
    }
    return pooling
  }

  /// Poolings beside the first one.
  fileprivate func morePoolings() throws(VDSQError) -> [Pooling] {
    var all: [Pooling] = []
    for part in try text("more_poolings").utf8.split(separator: UInt8(ascii: " ")) {
      let name = String(decoding: Array(part), as: UTF8.self)
      guard let pooling = Pooling(named: name), pooling != .mask, pooling != .nextToken,
        all.count + 1 < Pooling.most
      else { throw .badInput("\(path): metadata: pooling \(name) is not supported") }
      all.append(pooling)
    }
    return all
  }

  fileprivate func positionEncoding(headSize: Int) throws(VDSQError) -> PositionEncoding {
    let isLearned = try integer("positions", in: 0...1 << 24) > 0
    let dimensions = try integer("rotary_dimensions", in: 0...headSize)
    let scale = try number("rotary_scale")
    guard dimensions % 2 == 0, scale > 0, !isLearned || dimensions == 0 else {
      throw .badInput("\(path): metadata: positions and rotary values do not agree")
    }
    // A table has room for the shortest sequence at least.
    if isLearned { return .learned(rows: try integer("positions", in: 2...1 << 24)) }
    return dimensions > 0 ? .rotary(dimensions: dimensions, scale: scale) : .none
  }

  fileprivate func normPlacement(
    isDecoder: Bool
  ) throws(VDSQError) -> Architecture.NormPlacement {
    let isPost = isDecoder ? false : try !flag("pre_norm")
    guard let name = try find(text: "output_norms") else { return isPost ? .post : .pre }
    guard !isPost, name.utf8.elementsEqual("alone".utf8) || name.utf8.elementsEqual("beside".utf8)
    else { throw .badInput("\(path): metadata: output_norms \(name) is not supported") }
    return name.utf8.elementsEqual("alone".utf8) ? .output : .around
  }

  fileprivate func rotaryLayers(_ layers: Int) throws(VDSQError) -> [Bool] {
    guard let digits = try find(text: "rotary_layers") else { return [] }
    guard digits.utf8.count == layers else {
      throw .badInput("\(path): metadata: rotary_layers is not a digit for each layer")
    }
    return digits.utf8.map { $0 == UInt8(ascii: "1") }
  }

  fileprivate func distanceBias() throws(VDSQError) -> DistanceBias {
    let limit = try find(integer: "distance_limit", in: 1...1 << 16)
    let isLinear = try find(integer: "distance_slopes", in: 0...1) == 1
    let rows = try find(integer: "distance_rows", in: 1...1 << 16)
    guard limit == nil || !isLinear, rows == nil || limit != nil else {
      throw .badInput("\(path): metadata: distance_limit does not agree with distance_slopes")
    }
    if let rows, let limit { return .disentangled(rows: rows, limit: limit) }
    return limit.map { .learned(limit: $0) } ?? (isLinear ? .linear : .none)
  }

  fileprivate func slidingWindow(layers: Int) throws(VDSQError) -> SlidingWindow? {
    let size = try integer("sliding_window", in: 0...1 << 30)
    let digits = Array(try text("sliding_layers").utf8)
    guard digits.isEmpty || digits.count == layers else {
      throw .badInput("\(path): metadata: sliding_layers is not a digit for each layer")
    }
    guard size > 0 else { return nil }
    return SlidingWindow(size: size, slidingLayers: digits.map { $0 == UInt8(ascii: "1") })
  }
}
