/// The values of the key `architecture`, which determine the other keys (docs/format.md).
private enum Form: CaseIterable {
  /// An encoder with the layers of BERT. Their properties are not written.
  case bert
  /// Any other encoder.
  case encoder
  /// A causal decoder.
  case decoder

  var name: String {
    switch self {
    case .bert: "bert"
    case .encoder: "encoder"
    case .decoder: "decoder"
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
      let isPreNorm = form == .decoder ? true : try metadata.flag("pre_norm")
      normPlacement = isPreNorm ? .pre : .post
      embeddingScale =
        form == .decoder ? try metadata.find(number: "embedding_scale") ?? 1 : 1
      norm = try metadata.flag("rms_norm") ? .rmsNorm : .layerNorm
      normEpsilon = try metadata.number("norm_epsilon")
      isGated = try metadata.flag("gated")
      hasParallelResidual = try metadata.flag("parallel_residual")
      slidingWindow = try metadata.slidingWindow(layers: layers)
      guard heads % keyValueHeads == 0, heads * headSize <= 1 << 20 else {
        throw .badInput("\(metadata.path): metadata: numbers of heads do not agree")
      }
    }
    let rows = positions.learnedRows
    maximumTokens = try metadata.integer("maximum_tokens", in: 2...(rows > 0 ? rows : 1 << 24))
  }

  /// Whether the model is an encoder with the layers of BERT. Sizes, pooling and head may differ.
  package var isBERT: Bool {
    family == .bidirectionalEncoder && keyValueHeads == heads && queryWidth == hiddenSize
      && positions.learnedRows > 0 && tokenTypes > 0 && normPlacement == .post
      && norm == .layerNorm && !isGated && !hasParallelResidual && slidingWindow == nil
      && pooling != .nextToken
  }

  /// The metadata of a model's container, in the order of the file.
  ///
  /// - Parameter modelType: `model_type` of the checkpoint's `config.json`.
  package func metadata(modelType: String) -> Metadata {
    let form = family == .causalDecoder ? Form.decoder : isBERT ? .bert : .encoder
    var metadata = Metadata()
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
      metadata.set("pre_norm", .integer(normPlacement == .pre ? 1 : 0))
      metadata.set("token_types", .integer(tokenTypes))
    }
    if pooling != .nextToken { setOutput(in: &metadata) }
    return metadata
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
