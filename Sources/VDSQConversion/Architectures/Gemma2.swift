import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let gemma2Rotary = RotaryKeys(isPartial: false)

  /// Gemma 2 (Gemma Team 2024): Gemma with norms before and behind attention and the feed-forward
  /// network, local attention in every other layer, and caps of attention scores and logits.
  static let gemma2 = CheckpointArchitecture(
    title: "Gemma 2", modelTypes: ["gemma2"],
    settings: CheckpointConfiguration.rotarySettings(gemma2Rotary, epsilon: "rms_norm_eps")
      + SettingKey.followed(
        "query_pre_attn_scalar", "sliding_window", "hidden_activation", "attention_bias",
        "attn_logit_softcapping", "final_logit_softcapping")
      // Caches of keys and values.
      + SettingKey.harmless("cache_implementation"),
    tokenizerClasses: [:], configuration: gemma2Configuration, prefixes: ["model.", ""],
    embeddings: llamaEmbeddings, layer: gemmaAttention(hasHeadNorms: false) + gemmaFeedForward,
    final: TensorRule.norm("final_norm", "norm", hasBias: false, offset: 1),
    head: LanguageModelHead(weight: "lm_head.weight", isTiedByDefault: true),
    textHead: HeadNames(("score", .identity)), tokenHead: HeadNames(("score", .identity)),
    gguf: gemma2GGUF)

  private static func gemma2Configuration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    var configuration = try CheckpointConfiguration(
      gemma: config, rotary: gemma2Rotary, queryScalar: 256)
    configuration.architecture.attentionCap = try config.cap(
      "attn_logit_softcapping", default: 50)
    configuration.architecture.logitCap = try config.cap(
      "final_logit_softcapping", default: 30)
    configuration.architecture.slidingWindow = try SlidingWindow(
      decoder: config, size: try config.size("sliding_window", 1 << 28, default: 4096),
      layers: configuration.architecture.layers, isLocal: { $0 % 2 == 0 })
    return configuration
  }

  private static let gemma2GGUF = gemmaGGUF(
    "gemma2", layers: 2, large: 46, window: 4096, features: [.capped, .patterned]
  ) { (m) throws(VDSQError) in
    [
      ("model_type", .string("gemma2")),
      ("attn_logit_softcapping", .number(try m.number("attn_logit_softcapping", default: 50))),
      ("final_logit_softcapping", .number(try m.number("final_logit_softcapping", default: 30))),
    ]
  }

  /// The names of Gemma 2 and 3 in GGUF files.
  ///
  /// - Parameters:
  ///   - name: the value of `general.architecture`.
  ///   - period: one layer of so many attends to everything, unless the file says otherwise.
  ///   - large: the number of layers by which llama.cpp tells the model whose scores are divided by
  ///     the root of the hidden size's share of a head.
  ///   - window: the window if the file has none; nil if no layer has one then.
  ///   - more: further members of `config.json`, which precede the others.
  static func gemmaGGUF(
    _ name: String, layers period: Int, large: Int?, window standard: Int?,
    features: Set<GGUFKey.Scope>, isCausal: Bool = true,
    _ more:
      @escaping @Sendable (GGUFMetadata) throws(VDSQError) -> [(key: String, value: JSON)]
  ) -> GGUFArchitecture {
    let llama = llamaLikeGGUF(name)
    return GGUFArchitecture(
      name: name, tensors: llama.tensors,
      layerTensors: llama.layerTensors.merging([
        "post_attention_norm": "model.layers.#.post_attention_layernorm",
        "ffn_norm": "model.layers.#.pre_feedforward_layernorm",
        "post_ffw_norm": "model.layers.#.post_feedforward_layernorm",
      ]) { $1 },
      isCausal: isCausal, isRotary: true, features: features,
      config: { (m) throws(VDSQError) in
        let hidden = try m.size("embedding_length"), heads = try m.size("attention.head_count")
        let head = try m.size("attention.key_length", default: hidden / max(heads, 1))
        let layers = try m.size("block_count")
        guard layers <= 1024 else {
          throw m.refused("block_count", "at most 1,024 layers are supported")
        }
        let window =
          m.find("attention.sliding_window") == nil
          ? standard : try m.size("attention.sliding_window")
        var config = try more(m)
        if let window { config.append(("sliding_window", .integer(window))) }
        // Without a window, llama.cpp ignores the pattern.
        let types =
          window == nil
          ? Array(repeating: .string("full_attention"), count: layers)
          : try m.layerTypes(layers, period: period)
        config.append(("layer_types", .array(types)))
        let own = config.map(\.key) + ["use_sliding_window"]
        let activation = ActivationFunction.geluPyTorchTanh
        return try config
          + llamaLikeConfig(
            m, modelType: name, alternates: false, hasWindows: true, activation
          ).filter { !own.contains($0.key) } + [
            ("hidden_activation", .string(activation.name)),
            (
              "query_pre_attn_scalar",
              .integer(layers == large ? hidden / max(heads, 1) : head)
            ),
          ]
      })
  }
}

extension GGUFMetadata {
  /// The types of layers as in `layer_types`: those that the file names, or one of full attention
  /// behind `period - 1` with a window.
  ///
  /// - Throws: `badInput` if the pattern is not one for each layer.
  fileprivate func layerTypes(_ layers: Int, period: Int) throws(VDSQError) -> [JSON] {
    let key = "attention.sliding_window_pattern"
    func type(_ slides: Bool) -> JSON {
      .string(slides ? "sliding_attention" : "full_attention")
    }
    if case .integers(let slides)? = find(key) {
      guard slides.count == layers, slides.allSatisfy({ $0 == 0 || $0 == 1 }) else {
        throw refused(key, "it is not 0 or 1 for each layer")
      }
      return slides.map { type($0 == 1) }
    }
    let period = try size(key, default: period)
    return (0..<layers).map { type(($0 + 1) % period != 0) }
  }
}

extension ConfigReader {
  /// What scores are capped by.
  ///
  /// - Parameter standard: the cap if the key is absent; nil for none. null is no cap.
  func cap(_ key: String, default standard: Double?) throws(VDSQError) -> Double? {
    if json[key]?.isNull == true { return nil }
    guard let value = try number(key) ?? standard else { return nil }
    guard value >= 1e-3, value <= 1e6 else {
      throw .badInput("\(path): \(key) is not from 0.001 to 1e6")
    }
    return value
  }
}

extension CheckpointConfiguration {
  /// Reads what Gemma 2 and 3 have in common.
  ///
  /// - Parameter queryScalar: `query_pre_attn_scalar` if it is absent.
  init(
    gemma config: ConfigReader, rotary: RotaryKeys, queryScalar: Double
  ) throws(VDSQError) {
    try self.init(
      rotaryDecoder: config, rotary: rotary, epsilon: ("rms_norm_eps", 1e-6),
      activation: .geluPyTorchTanh, headSize: 256)
    architecture.activation = try config.activation(
      "hidden_activation", default: .geluPyTorchTanh)
    architecture.embeddingScale = Double(architecture.hiddenSize).squareRoot()
    architecture.norm = .rmsNorm
    architecture.isGated = true
    architecture.normPlacement = .around
    let scalar = try config.number("query_pre_attn_scalar") ?? queryScalar
    guard scalar > 0, scalar.isFinite else {
      throw .badInput("\(config.path): query_pre_attn_scalar is not positive")
    }
    if scalar != Double(architecture.headSize) {
      architecture.attentionDivisor = scalar.squareRoot()
    }
  }
}
