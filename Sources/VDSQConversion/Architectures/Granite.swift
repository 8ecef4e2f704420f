import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// Granite 3 (IBM 2024): Llama with factors of embeddings, attention scores, residuals and
  /// logits.
  static let granite: CheckpointArchitecture = {
    let llama = llamaLike(
      title: "Granite 3", modelTypes: ["granite"], tokenizerClass: nil, attentionBias: true,
      mlpBias: true)
    var architecture = llama
    architecture.settings += SettingKey.followed(
      "embedding_multiplier", "attention_multiplier", "residual_multiplier", "logits_scaling")
    architecture.configuration = { (config) throws(VDSQError) in
      var configuration = try llama.configuration(config)
      func factor(_ key: String) throws(VDSQError) -> Double {
        let value = try config.number(key) ?? 1
        guard value > 0, value.isFinite else {
          throw .badInput("\(config.path): \(key) is not positive")
        }
        return value
      }
      configuration.architecture.embeddingScale = try factor("embedding_multiplier")
      configuration.architecture.attentionDivisor = 1 / (try factor("attention_multiplier"))
      configuration.outputFactor = Float(try factor("residual_multiplier"))
      configuration.logitFactor = Float(1 / (try factor("logits_scaling")))
      return configuration
    }
    return architecture
  }()
}
