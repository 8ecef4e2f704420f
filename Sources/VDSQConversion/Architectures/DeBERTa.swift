import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  private static let debertaKeys = BERTKeys(tokenTypes: nil)

  /// DeBERTa 2 and 3 (He et al. 2021): BERT without learned positions, whose scores are sums of
  /// products of contents and of vectors of distances.
  static let deberta = CheckpointArchitecture(
    title: "DeBERTa 2 and 3", modelTypes: ["deberta-v2"],
    settings: debertaKeys.settings
      + SettingKey.followed(
        "type_vocab_size", "position_buckets", "max_relative_positions", "pos_att_type")
      + SettingKey.fixed("relative_attention", .bool(true))
      + SettingKey.fixed("position_biased_input", .bool(false))
      + SettingKey.fixed("share_att_key", .bool(true))
      + SettingKey.fixed("norm_rel_ebd", .string("layer_norm"))
      + SettingKey.fixed("pooler_hidden_act", .string("gelu"))
      + SettingKey.absent("conv_kernel_size", "attention_head_size", "embedding_size")
      + SettingKey.harmless(
        "conv_act", "conv_groups", "pooler_dropout", "pooler_hidden_size", "cls_dropout", "legacy"),
    tokenizerClasses: ["deberta-v2": "DebertaV2Tokenizer"],
    configuration: debertaConfiguration, prefixes: ["deberta.", ""],
    embeddings: rotaryEmbeddings + [
      TensorRule(
        "attention.distance_rows", ["encoder.rel_embeddings.weight"], .positionTable,
        [.distances, .hidden])
    ]
      + TensorRule.norm("attention.distance_norm", "encoder.LayerNorm"),
    layer: encoderLayer(
      prefix: "encoder.layer.#.", query: "attention.self.query_proj",
      key: "attention.self.key_proj", value: "attention.self.value_proj",
      output: "attention.output.dense", attentionNorm: "attention.output.LayerNorm",
      up: "intermediate.dense", down: "output.dense", outputNorm: "output.LayerNorm"),
    head: bertHead,
    textHead: HeadNames(("pooler.dense", .gelu), ("classifier", .identity)),
    tokenHead: HeadNames(("classifier", .identity)))

  private static func debertaConfiguration(
    _ config: ConfigReader
  ) throws(VDSQError) -> CheckpointConfiguration {
    // transformers' defaults of these would make another model.
    for key in ["relative_attention", "position_biased_input", "share_att_key", "norm_rel_ebd"]
    where config[key] == nil {
      throw .badInput("\(config.path): \(key) is missing; without it the model is another one")
    }
    let types = config["pos_att_type"]
    let names = Set(
      types?.elements?.compactMap(\.text)
        ?? types?.text?.split(separator: "|").map {
          String($0.filter { $0 != " " }).lowercased()
        } ?? [])
    guard names == ["c2p", "p2c"] else {
      throw .badInput(
        "\(config.path): pos_att_type \(types?.brief ?? "null") is not supported; supported: "
          + "p2c|c2p")
    }
    var configuration = try debertaKeys.read(config, epsilon: 1e-7)
    var c = configuration.architecture
    let longest = c.positions.learnedRows
    let given = Int(try config.number("max_relative_positions") ?? -1)
    let reach = given < 1 ? longest : given
    let buckets = Int(try config.number("position_buckets") ?? -1)
    guard reach <= 1 << 15, buckets <= 1 << 14, buckets < 1 || buckets >= 4 && buckets < reach
    else {
      throw .badInput("\(config.path): position_buckets \(buckets) of \(reach) distances")
    }
    let rows = 2 * (buckets > 0 ? buckets : reach)
    let limit = longest - 1
    c.distanceBias = .disentangled(rows: rows, limit: limit)
    configuration.distancePlaces = (-limit...limit).map {
      Float(DistanceBuckets.row(of: $0, buckets: buckets > 0 ? buckets : nil, longest: reach))
    }
    guard
      zip(configuration.distancePlaces, configuration.distancePlaces.dropFirst())
        .allSatisfy({ $1 - $0 <= 1 })
    else {
      throw .badInput(
        "\(config.path): position_buckets \(buckets) of \(reach) distances is not supported, "
          + "because buckets without distances lie between others; supported: up to half of them")
    }
    c.attentionDivisor = Double(3 * c.headSize).squareRoot()
    c.positions = .none
    let typeCount = try config.number("type_vocab_size") ?? 0
    c.tokenTypes =
      typeCount == 0 ? 0 : try config.size("type_vocab_size", 1024)
    configuration.architecture = c
    return configuration
  }
}
