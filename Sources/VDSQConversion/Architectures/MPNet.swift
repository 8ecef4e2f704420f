import VDSQFormat

extension CheckpointArchitecture {
  private static let mpnetKeys = BERTKeys(tokenTypes: nil, firstPosition: 2)

  /// MPNet (Song et al. 2020): RoBERTa without token types, whose layers share biases for buckets
  /// of distances.
  static let mpnet = CheckpointArchitecture(
    title: "MPNet", references: ["transformers", "all-mpnet-base-v2"], modelTypes: ["mpnet"],
    settings: mpnetKeys.settings
      // Its class of transformers always computes as many.
      + SettingKey.fixed("relative_attention_num_buckets", .integer(DistanceBuckets.count)),
    tokenizerClasses: ["mpnet": "MPNetTokenizer"], tokenizersHaveTypes: false,
    configuration: { (config) throws(VDSQError) in
      var configuration = try mpnetKeys.read(config)
      configuration.architecture.tokenTypes = 0
      configuration.architecture.distanceBias = .learned(limit: DistanceBuckets.limit)
      return configuration
    },
    prefixes: ["mpnet.", ""],
    embeddings: bertEmbeddings.filter { $0.name != "embeddings.token_type" } + [
      TensorRule(
        "attention.distances", ["encoder.relative_attention_bias.weight"], .vector,
        rows: [.buckets], .heads, layout: .buckets)
    ],
    layer: encoderLayer(
      prefix: "encoder.layer.#.", query: "attention.attn.q", key: "attention.attn.k",
      value: "attention.attn.v", output: "attention.attn.o",
      attentionNorm: "attention.LayerNorm", up: "intermediate.dense", down: "output.dense",
      outputNorm: "output.LayerNorm"),
    head: LanguageModelHead(
      dense: "lm_head.dense", norm: "lm_head.layer_norm", weight: "lm_head.decoder.weight",
      biases: ["lm_head.decoder.bias", "lm_head.bias"], activation: .gelu),
    textHead: HeadNames(("classifier.dense", .tanh), ("classifier.out_proj", .identity)),
    tokenHead: HeadNames(("classifier", .identity)))
}
