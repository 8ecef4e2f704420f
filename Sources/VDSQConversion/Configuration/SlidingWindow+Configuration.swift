import VDSQFormat

extension SlidingWindow {
  /// How the configuration of a folder describes a sliding window, as its class of transformers
  /// reads it. `layer_types` precedes what is said here.
  enum Keys: Sendable {
    /// `sliding_window` applies to all layers. The default is its value without the key, nil for no
    /// window; null means no window.
    case allLayers(default: Int?)
    /// `sliding_window` applies to layers from `max_window_layers` (28) on, if `use_sliding_window`
    /// says so.
    case upperLayers(default: Int)
    /// `sliding_window` applies to layers without positions, if `use_sliding_window` says so. Which
    /// these are is for the architecture to say.
    case layersWithoutPositions
  }

  /// What is done with the keys.
  static func settings(_ keys: Keys?) -> [SettingKey] {
    switch keys {
    case nil:
      SettingKey.harmless("sliding_window", "use_sliding_window", "max_window_layers")
    case .allLayers:
      SettingKey.followed("sliding_window")
        + SettingKey.harmless("use_sliding_window", "max_window_layers")
    case .upperLayers:
      SettingKey.followed("sliding_window", "use_sliding_window", "max_window_layers")
    case .layersWithoutPositions:
      SettingKey.followed("sliding_window", "use_sliding_window")
        + SettingKey.harmless("max_window_layers")
    }
  }

  /// Reads the sliding window of a configuration; nil if there is none.
  ///
  /// - Parameter keys: nil if folders of the architecture have none. The reader of a single file
  ///   sets `sliding_window` where all layers have one.
  /// - Throws: `badInput` if a value is out of range, or layers shall have a window that is not
  ///   there.
  init?(_ config: ConfigReader, layers: Int, _ keys: Keys?) throws(VDSQError) {
    var standard: Int?
    var isUsed = true
    var first = 0
    switch keys {
    case nil:
      guard !config.isFolder, config["sliding_window"] != nil else { return nil }
    case .allLayers(let size):
      standard = size
      isUsed =
        size == nil
        ? config["sliding_window"] != nil : config.json["sliding_window"]?.isNull != true
    case .upperLayers(let size):
      standard = size
      isUsed =
        try config.flag("use_sliding_window", default: false)
        && config.json["sliding_window"]?.isNull != true
      first = Int(try config.number("max_window_layers") ?? 28)
    case .layersWithoutPositions:
      isUsed =
        try config.flag("use_sliding_window", default: false) && config["sliding_window"] != nil
    }
    let types = keys == nil ? nil : config["layer_types"]?.elements
    guard isUsed else {
      guard types?.contains(where: { $0.text == "sliding_attention" }) != true else {
        throw .badInput(
          "\(config.path): layer_types: sliding_attention without a sliding_window in use")
      }
      return nil
    }
    let size = try config.size("sliding_window", 1 << 30, default: standard)
    if let types {
      guard types.count == layers else {
        throw .badInput("\(config.path): layer_types are not one for each layer")
      }
      self.init(size: size, slidingLayers: types.map { $0.text == "sliding_attention" })
    } else if first > 0 {
      self.init(size: size, slidingLayers: (0..<layers).map { $0 >= first })
    } else {
      self.init(size: size)
    }
  }

  /// The windows of an encoder; nil if no layer has one.
  ///
  /// - Parameters:
  ///   - reach: how many tokens before and behind its own a token attends to.
  ///   - isLocal: the layers with local attention, if `layer_types` does not name them.
  /// - Throws: `badInput` if `layer_types` has another type, or not one for each layer.
  init?(
    encoder config: ConfigReader, reach: Int, layers: Int, isLocal: (_ layer: Int) -> Bool
  ) throws(VDSQError) {
    var sliding = (0..<layers).map(isLocal)
    if let types = config["layer_types"] {
      guard let types = types.elements, types.count == layers else {
        throw .badInput("\(config.path): layer_types are not one for each layer")
      }
      for type in types where type.text != "full_attention" && type.text != "sliding_attention" {
        throw .badInput(
          "\(config.path): layer_types: \(type.brief) is not supported; supported: full_attention, "
            + "sliding_attention")
      }
      sliding = types.map { $0.text == "sliding_attention" }
    }
    guard sliding.contains(true) else { return nil }
    guard reach >= 1, reach < 1 << 28 else {
      throw .badInput("\(config.path): local attention to \(reach) tokens on each side")
    }
    self.init(size: 2 * reach + 1, slidingLayers: sliding.contains(false) ? sliding : [])
  }

  /// The windows of a decoder; nil if no layer has one. Parameters are like those of an encoder.
  init?(
    decoder config: ConfigReader, size: Int, layers: Int, isLocal: (_ layer: Int) -> Bool
  ) throws(VDSQError) {
    guard
      let window = try SlidingWindow(
        encoder: config, reach: 1, layers: layers, isLocal: isLocal)
    else { return nil }
    self.init(size: size, slidingLayers: window.slidingLayers)
  }
}
