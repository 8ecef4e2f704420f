import VDSQFormat

extension CheckpointArchitecture {
  /// ELECTRA (Clark et al. 2020): BERT whose embeddings may be narrower than its states.
  static let electra = CheckpointArchitecture(
    title: "ELECTRA", modelTypes: ["electra"],
    settings: BERTKeys(embeddingSize: "embedding_size").settings,
    tokenizerClasses: ["electra": "BertTokenizer"],
    configuration: { (config) throws(VDSQError) in
      try BERTKeys(embeddingSize: "embedding_size").read(config)
    },
    prefixes: ["electra.", ""],
    embeddings: bertEmbeddings
      + TensorRule.linear(
        "embeddings.projection", ["embeddings_project"], rows: [.hidden], .embedding
      ).map { $0.when(.unequal(.embedding, .hidden)) },
    layer: bertLayer,
    head: LanguageModelHead(
      dense: "generator_predictions.dense", norm: "generator_predictions.LayerNorm",
      weight: "generator_lm_head.weight", biases: ["generator_lm_head.bias"], activation: .gelu),
    textHead: HeadNames(("classifier.dense", .gelu), ("classifier.out_proj", .identity)),
    tokenHead: HeadNames(("classifier", .identity)))
}
