extension CheckpointArchitecture {
  /// OLMo 2 (OLMo Team 2025): Llama whose norms follow attention and the feed-forward network, with
  /// norms of all queries and all keys.
  static let olmo2 = llamaLike(
    title: "OLMo 2", modelTypes: ["olmo2"], tokenizerClass: nil, attentionBias: true,
    hasOutputNorms: true,
    epsilon: 1e-5)
}
