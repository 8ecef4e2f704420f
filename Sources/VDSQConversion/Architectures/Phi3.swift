import VDSQFormat

extension CheckpointArchitecture {
  /// Phi 3 and 4 mini (Abdin et al. 2024): Llama with one tensor for queries, keys and values, one
  /// for the gate and the up projection, and rotary positions of a part of each head.
  static let phi3 = llamaLike(
    title: "Phi 3, Phi 4 mini", modelTypes: ["phi3"], tokenizerClass: "TokenizersBackend",
    window: .allLayers(default: nil),
    isFused: true, rotary: RotaryKeys(), epsilon: 1e-5,
    gguf: llamaLikeGGUF("phi3", isFused: true, hasWindows: true))
}
