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
}
