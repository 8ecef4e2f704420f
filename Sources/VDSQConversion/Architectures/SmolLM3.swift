import VDSQCheckpoints
import VDSQFormat

extension CheckpointArchitecture {
  /// SmolLM 3 (Bakouch et al. 2025): Llama without positions in every fourth layer.
  static let smolLM3: CheckpointArchitecture = {
    let llama = llamaLike(
      title: "SmolLM 3", modelTypes: ["smollm3"], tokenizerClass: nil,
      window: .layersWithoutPositions,
      attentionBias: true, mlpBias: true,
      rotary: RotaryKeys(defaultBase: 2_000_000, isPartial: false), isTiedByDefault: true)
    var architecture = llama
    architecture.settings += SettingKey.followed("no_rope_layers", "no_rope_layer_interval")
    architecture.configuration = { (config) throws(VDSQError) in
      var configuration = try llama.configuration(config)
      let layers = configuration.architecture.layers
      let interval = try config.size("no_rope_layer_interval", 1024, default: 4)
      var rotated = (0..<layers).map { ($0 + 1) % interval != 0 }
      if let given = config["no_rope_layers"] {
        guard let values = given.elements?.compactMap(\.integer), values.count == layers,
          values.allSatisfy({ $0 == 0 || $0 == 1 })
        else { throw .badInput("\(config.path): no_rope_layers is not 0 or 1 for each layer") }
        // Despite the name, 1 means that positions are rotated.
        rotated = values.map { $0 == 1 }
      }
      configuration.architecture.rotaryLayers = rotated.contains(false) ? rotated : []
      if let window = configuration.architecture.slidingWindow, config["layer_types"] == nil {
        configuration.architecture.slidingWindow =
          rotated.contains(false)
          ? SlidingWindow(size: window.size, slidingLayers: rotated.map { !$0 }) : nil
      }
      return configuration
    }
    return architecture
  }()
}
