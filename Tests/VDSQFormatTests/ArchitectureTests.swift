import Testing
import VDSQFormat

@Suite struct ArchitectureTests {
  private static let bert = Architecture(
    encoder: 48, layers: 2, heads: 4, intermediateSize: 88, vocabularySize: 300, positions: 64,
    tokenTypes: 2, normEpsilon: 1e-12, activation: .gelu)

  /// A masked language model whose embeddings are narrower than its states, as ELECTRA's are.
  private static let masked: Architecture = {
    var architecture = Architecture(
      encoder: 48, layers: 2, heads: 4, intermediateSize: 88, vocabularySize: 300, positions: 64,
      tokenTypes: 2, normEpsilon: 1e-12, activation: .relu, embeddingSize: 32)
    architecture.pooling = .mask
    architecture.headActivation = .gelu
    architecture.maximumTokens = 32
    return architecture
  }()

  private static let gpt2 = Architecture(
    decoder: 48, layers: 3, heads: 4, headSize: 12, intermediateSize: 192, vocabularySize: 300,
    maximumTokens: 128, positions: .learned(rows: 128), normEpsilon: 1e-5, activation: .geluNew)

  private static let mistral: Architecture = {
    var architecture = Architecture(
      decoder: 48, layers: 3, heads: 4, headSize: 12, intermediateSize: 96, vocabularySize: 300,
      maximumTokens: 4096, positions: .rotary(dimensions: 12, scale: 1.25), normEpsilon: 1e-5,
      activation: .silu)
    architecture.keyValueHeads = 2
    architecture.norm = .rmsNorm
    architecture.isGated = true
    architecture.slidingWindow = SlidingWindow(size: 16, slidingLayers: [true, false, true])
    return architecture
  }()

  /// An encoder that has nothing of BERT's but its attention to all tokens, as ModernBERT has.
  private static let modern: Architecture = {
    var architecture = bert
    architecture.tokenTypes = 0
    architecture.positions = .rotary(dimensions: 12, scale: 1)
    architecture.normPlacement = .pre
    architecture.isGated = true
    architecture.slidingWindow = SlidingWindow(size: 8, slidingLayers: [false, true])
    architecture.pooling = .cls
    architecture.normalize = true
    return architecture
  }()

  /// What most models do not have.
  private static let unusual: Architecture = {
    var architecture = modern
    architecture.normPlacement = .around
    architecture.skipsFirstNorm = true
    architecture.hasEmbeddingNorm = false
    architecture.hasLocalRotary = true
    architecture.distanceBias = .learned(limit: 128)
    architecture.attentionDivisor = 2.5
    architecture.embeddingScale = 3
    architecture.layersPerGroup = 2
    return architecture
  }()

  /// Disentangled attention, and norms behind the parts of a layer alone.
  private static let distant: Architecture = {
    var architecture = modern
    architecture.normPlacement = .output
    architecture.distanceBias = .disentangled(rows: 64, limit: 511)
    architecture.rotaryLayers = [true, false]
    return architecture
  }()

  private static let all = [bert, masked, gpt2, mistral, modern, unusual, distant]

  @Test(arguments: all)
  func whatIsWrittenIsRead(_ architecture: Architecture) throws {
    #expect(try Architecture(architecture.metadata(modelType: "some-model")) == architecture)
  }

  /// Files that were written before this type was keep their bytes.
  @Test func keysComeInTheirOldOrder() {
    func keys(_ architecture: Architecture) -> String {
      architecture.metadata(modelType: "m").entries.map(\.key).joined(separator: " ")
    }
    #expect(
      keys(Self.bert)
        == "architecture model_type hidden_size layers heads intermediate_size vocabulary_size "
        + "positions token_types layer_norm_epsilon activation pooling normalize maximum_tokens")
    #expect(
      keys(Self.masked)
        == "architecture model_type hidden_size embedding_size layers heads intermediate_size "
        + "vocabulary_size positions token_types layer_norm_epsilon activation head_activation "
        + "pooling normalize maximum_tokens")
    #expect(
      keys(Self.mistral)
        == "architecture model_type hidden_size layers heads key_value_heads head_size "
        + "intermediate_size vocabulary_size positions maximum_tokens rotary_dimensions "
        + "rotary_scale rms_norm norm_epsilon activation gated parallel_residual sliding_window "
        + "sliding_layers")
    #expect(Self.bert.metadata(modelType: "m").find("architecture") == "bert")
    #expect(Self.mistral.metadata(modelType: "m").find("architecture") == "decoder")
    #expect(Self.mistral.metadata(modelType: "m").find("sliding_layers") == "101")
  }

  /// Metadata with one entry replaced, or left out.
  private func metadata(
    _ architecture: Architecture, _ key: String, _ value: Metadata.Value?
  ) -> Metadata {
    var metadata = Metadata(path: "m.vdsq")
    for entry in architecture.metadata(modelType: "m").entries {
      if entry.key != key {
        metadata.set(entry.key, entry.value)
      } else if let value {
        metadata.set(key, value)
      }
    }
    return metadata
  }

  private func expectRefused(
    _ architecture: Architecture, _ key: String, _ value: Metadata.Value?, mentioning word: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let metadata = metadata(architecture, key, value)
    #expect("\(key) \(String(describing: value))", sourceLocation: sourceLocation) {
      try Architecture(metadata)
    } throws: {
      guard let error = $0 as? VDSQError else { return false }
      return error.category == .badInput && error.message.contains(word)
        && error.message.hasPrefix("m.vdsq: ")
    }
  }

  @Test(arguments: all)
  func everyKeyIsNeededAndTyped(_ architecture: Architecture) {
    let optional = [
      "model_type", "embedding_size", "head_activation", "output_norms", "first_norm",
      "embedding_norm", "local_rotary", "distance_limit", "attention_divisor",
      "embedding_scale", "layers_per_group", "distance_rows", "rotary_layers",
    ]
    for entry in architecture.metadata(modelType: "m").entries where entry.key != "model_type" {
      if !optional.contains(entry.key) {
        expectRefused(architecture, entry.key, nil, mentioning: entry.key)
      }
      switch entry.value {
      case .integer:
        expectRefused(architecture, entry.key, .text("1"), mentioning: entry.key)
        expectRefused(architecture, entry.key, .integer(-1), mentioning: entry.key)
        expectRefused(architecture, entry.key, .integer(1 << 40), mentioning: entry.key)
      case .number:
        expectRefused(architecture, entry.key, .integer(1), mentioning: entry.key)
        expectRefused(architecture, entry.key, .number(.nan), mentioning: entry.key)
      case .text where entry.key != "head_activation":
        expectRefused(architecture, entry.key, .integer(1), mentioning: entry.key)
      case .text: break
      }
    }
  }

  @Test func valuesThatDoNotAgreeAreRefused() {
    let (bert, gpt2, mistral, modern) = (Self.bert, Self.gpt2, Self.mistral, Self.modern)
    for (architecture, key, value, word): (Architecture, String, Metadata.Value, String) in [
      (bert, "architecture", .text("mamba"), "mamba is not supported; supported: bert, encoder"),
      (bert, "heads", .integer(5), "hidden_size is not a multiple of heads"),
      (bert, "pooling", .text("next_token"), "pooling next_token is not supported"),
      (bert, "pooling", .text("median"), "pooling median is not supported"),
      (bert, "activation", .text("mish"), "activation mish is not supported"),
      (bert, "maximum_tokens", .integer(65), "not in 2...64"),
      (Self.masked, "head_activation", .text("mish"), "head_activation mish is not supported"),
      (gpt2, "positions", .integer(1), "positions is 1"),
      (gpt2, "rotary_dimensions", .integer(4), "positions and rotary values"),
      (mistral, "rotary_dimensions", .integer(5), "positions and rotary values"),
      (mistral, "rotary_dimensions", .integer(14), "rotary_dimensions is 14"),
      (mistral, "rotary_scale", .number(0), "positions and rotary values"),
      (mistral, "heads", .integer(3), "numbers of heads"),
      (mistral, "sliding_layers", .text("10"), "sliding_layers"),
      (modern, "pre_norm", .integer(2), "pre_norm is 2"),
    ] {
      expectRefused(architecture, key, value, mentioning: word)
    }
  }

  @Test func widthsAndWindows() {
    #expect(Self.bert.vectorSize == 48 && Self.masked.vectorSize == 32)
    #expect(Self.mistral.queryWidth == 48 && Self.mistral.keyValueWidth == 24)
    #expect((0..<3).map { Self.mistral.window(layer: $0) } == [16, .max, 16])
    #expect(Self.gpt2.window(layer: 0) == .max)
    #expect(SlidingWindow(size: 4).isSliding(layer: 7))
    // Per layer: queries and output 48 x 48, keys and values 48 x 24, gate, up and down 48 x 96.
    #expect(Self.mistral.linearWeights == 3 * (2 * 48 * 48 + 2 * 48 * 24 + 3 * 48 * 96))
    #expect(Self.bert.linearWeights == 2 * (4 * 48 * 48 + 2 * 48 * 88))
    #expect(
      [Self.bert, Self.masked, Self.gpt2].map(\.hasLanguageModelHead) == [false, true, true])
    #expect(Self.all.map(\.isBERT) == [true, true, false, false, false, false, false])
  }

  @Test func namesAreHuggingFaces() {
    for pooling in Pooling.allCases { #expect(Pooling(named: pooling.name) == pooling) }
    for function in ActivationFunction.allCases {
      #expect(ActivationFunction(named: function.name) == function)
    }
    #expect(Pooling(named: "Mean") == nil && ActivationFunction(named: "") == nil)
  }
}
