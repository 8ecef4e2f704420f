extension CheckpointArchitecture {
  /// Qwen 3 (Yang et al. 2025): Qwen 2 without biases, with norms of the queries and keys of
  /// each head.
  static let qwen3 = llamaLike(
    title: "Qwen 3", modelTypes: ["qwen3"], tokenizerClass: "Qwen2Tokenizer",
    window: .upperLayers(default: 4096), attentionBias: true, hasHeadNorms: true, headSize: 128,
    gguf: llamaLikeGGUF("qwen3"))
}
