import VDSQFormat

extension CheckpointArchitecture {
  /// Gemma 1 (Gemma Team 2024): Llama with a gate of GELU, scaled word embeddings that are the head
  /// too, and norms whose gains folders store less one.
  static let gemma = llamaLike(
    title: "Gemma 1", modelTypes: ["gemma"], tokenizerClass: nil, attentionBias: true,
    activation: .geluPyTorchTanh, activationKey: "hidden_activation", scalesEmbeddings: true,
    normOffset: 1, isTiedByDefault: true, headSize: 256,
    gguf: llamaLikeGGUF("gemma", activation: .geluPyTorchTanh))
}
