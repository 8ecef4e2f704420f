extension CheckpointArchitecture {
  /// Qwen 3 (Yang et al. 2025): Qwen 2 without biases, with norms of the queries and keys of
  /// each head.
  static let qwen3 = llamaLike(
    modelTypes: ["qwen3"], tokenizerClass: "Qwen2Tokenizer",
    firstSlidingLayer: (key: "max_window_layers", default: 28),
    gguf: llamaLikeGGUF("qwen3"))
}
