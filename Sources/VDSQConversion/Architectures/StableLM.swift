import VDSQFormat

extension CheckpointArchitecture {
  /// StableLM 2 (Bellagente et al. 2024): Llama with LayerNorm, and rotary positions in a quarter
  /// of each head.
  static let stableLM: CheckpointArchitecture = {
    var architecture = llamaLike(
      title: "StableLM 2", modelTypes: ["stablelm"], tokenizerClass: nil,
      queryBias: .declared("use_qkv_bias", default: false), hasLayerNorm: true,
      rotary: RotaryKeys(defaultShare: 0.25), epsilon: 1e-5)
    architecture.settings +=
      SettingKey.followed("use_qkv_bias") + SettingKey.absent("use_parallel_residual")
    return architecture
  }()
}
