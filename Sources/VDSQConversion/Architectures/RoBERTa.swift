import VDSQFormat

extension CheckpointArchitecture {
  /// RoBERTa (Liu et al. 2019), XLM-RoBERTa and CamemBERT: BERT whose positions are counted from
  /// the id of the padding token plus one.
  static let roberta = CheckpointArchitecture(
    title: "RoBERTa, XLM-R", modelTypes: ["roberta", "xlm-roberta", "camembert"],
    settings: BERTKeys(offsetsPositions: true).settings,
    tokenizerClasses: [
      "roberta": "RobertaTokenizer", "xlm-roberta": "XLMRobertaTokenizer",
      "camembert": "CamembertTokenizer",
    ],
    tokenizersHaveTypes: false,
    configuration: { (config) throws(VDSQError) in
      try BERTKeys(offsetsPositions: true).read(config)
    },
    prefixes: ["roberta.", ""], embeddings: bertEmbeddings, layer: bertLayer,
    head: LanguageModelHead(
      dense: "lm_head.dense", norm: "lm_head.layer_norm", weight: "lm_head.decoder.weight",
      biases: ["lm_head.decoder.bias", "lm_head.bias"], activation: .gelu),
    textHead: HeadNames(("classifier.dense", .tanh), ("classifier.out_proj", .identity)),
    tokenHead: HeadNames(("classifier", .identity)))
}
