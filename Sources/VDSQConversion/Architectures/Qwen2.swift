extension CheckpointArchitecture {
  /// Qwen 2 and 2.5 (Yang et al. 2024): Llama with biases of queries, keys and values. The
  /// configuration says whether the upper layers have a sliding window.
  static let qwen2 = llamaLike(
    title: "Qwen 2", modelTypes: ["qwen2"], tokenizerClass: "Qwen2Tokenizer",
    window: .upperLayers(default: 4096), queryBias: .optional, ignoresTokenizerClass: true,
    gguf: llamaLikeGGUF("qwen2"))
}
