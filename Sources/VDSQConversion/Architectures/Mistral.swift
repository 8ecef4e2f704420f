extension CheckpointArchitecture {
  /// Mistral (Jiang et al. 2023): Llama with a sliding window in all layers.
  static let mistral = llamaLike(
    title: "Mistral", modelTypes: ["mistral"], tokenizerClass: "TokenizersBackend",
    window: .allLayers(default: 4096))
}
