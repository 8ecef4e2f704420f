import VDSQFormat

extension CheckpointArchitecture {
  private static let distilBERTKeys = BERTKeys(
    hiddenSize: "dim", layers: "n_layers", heads: "n_heads", intermediateSize: "hidden_dim",
    activation: "activation", tokenTypes: nil, layerNormEpsilon: nil)

  /// DistilBERT (Sanh et al. 2019): BERT without token types, with other names.
  static let distilBERT = CheckpointArchitecture(
    title: "DistilBERT", modelTypes: ["distilbert"],
    settings: distilBERTKeys.settings
      + SettingKey.harmless("sinusoidal_pos_embds", "tie_weights_", "type_vocab_size"),
    tokenizerClasses: ["distilbert": "BertTokenizer"],
    configuration: { (config) throws(VDSQError) in try distilBERTKeys.read(config) },
    prefixes: ["distilbert.", ""],
    embeddings: bertEmbeddings.filter { $0.name != "embeddings.token_type" },
    layer: encoderLayer(
      prefix: "transformer.layer.#.", query: "attention.q_lin", key: "attention.k_lin",
      value: "attention.v_lin", output: "attention.out_lin", attentionNorm: "sa_layer_norm",
      up: "ffn.lin1", down: "ffn.lin2", outputNorm: "output_layer_norm"),
    head: LanguageModelHead(
      dense: "vocab_transform", norm: "vocab_layer_norm", weight: "vocab_projector.weight",
      biases: ["vocab_projector.bias"]),
    textHead: HeadNames(("pre_classifier", .relu), ("classifier", .identity)),
    tokenHead: HeadNames(("classifier", .identity)))
}
