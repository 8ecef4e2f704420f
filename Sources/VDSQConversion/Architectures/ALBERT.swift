import VDSQFormat

extension CheckpointArchitecture {
  private static let albertKeys = BERTKeys(embeddingSize: "embedding_size")

  /// ALBERT (Lan et al. 2020): BERT whose layers share their weights, with narrow embeddings.
  static let albert = CheckpointArchitecture(
    title: "ALBERT", modelTypes: ["albert"],
    settings: albertKeys.settings + SettingKey.followed("num_hidden_groups")
      + SettingKey.fixed("inner_group_num", .integer(1))
      + SettingKey.harmless(
        "classifier_dropout_prob", "down_scale_factor", "gap_size", "net_structure_type",
        "num_memory_blocks"),
    tokenizerClasses: ["albert": "AlbertTokenizer"],
    configuration: { (config) throws(VDSQError) in
      var configuration = try albertKeys.read(config, activation: .geluNew, embeddingSize: 128)
      var c = configuration.architecture
      guard c.embeddingSize != c.hiddenSize else {
        throw .badInput(
          "\(config.path): embedding_size \(c.embeddingSize) that is the hidden_size is not "
            + "supported")
      }
      let groups = try config.size("num_hidden_groups", 1024, default: 1)
      guard c.layers % groups == 0 else {
        throw .badInput("\(config.path): num_hidden_layers is no multiple of num_hidden_groups")
      }
      c.layersPerGroup = c.layers / groups
      configuration.architecture = c
      return configuration
    },
    prefixes: ["albert.", ""],
    embeddings: bertEmbeddings
      + TensorRule.linear(
        "embeddings.projection", ["encoder.embedding_hidden_mapping_in"], rows: [.hidden],
        .embedding),
    layer: encoderLayer(
      prefix: "encoder.albert_layer_groups.#.albert_layers.0.", query: "attention.query",
      key: "attention.key", value: "attention.value", output: "attention.dense",
      attentionNorm: "attention.LayerNorm", up: "ffn", down: "ffn_output",
      outputNorm: "full_layer_layer_norm"),
    head: LanguageModelHead(
      dense: "predictions.dense", norm: "predictions.LayerNorm",
      weight: "predictions.decoder.weight",
      biases: ["predictions.decoder.bias", "predictions.bias"]),
    textHead: HeadNames(("albert.pooler", .tanh), ("classifier", .identity)),
    tokenHead: HeadNames(("classifier", .identity)))
}
