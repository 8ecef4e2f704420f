import VDSQFormat

extension SlidingWindow {
  /// Reads the sliding window of a configuration; nil if there is none.
  ///
  /// - Parameters:
  ///   - isUsed: whether `sliding_window` applies if `use_sliding_window` is absent.
  ///   - first: the key of the first layer with a sliding window, and its default; nil if the
  ///     window applies to all layers. `layer_types` precedes it.
  /// - Throws: `badInput` if a value is out of range.
  init?(
    _ config: ConfigReader, layers: Int, isUsed: Bool, first: (key: String, default: Int)?
  ) throws(VDSQError) {
    guard config["sliding_window"] != nil,
      try config.flag("use_sliding_window", default: isUsed)
    else { return nil }
    let size = try config.size("sliding_window", 1 << 30)
    if let types = config["layer_types"]?.elements {
      guard types.count == layers else {
        throw .badInput("\(config.path): layer_types are not one for each layer")
      }
      self.init(size: size, slidingLayers: types.map { $0.text == "sliding_attention" })
    } else if let first {
      let firstLayer = Int(try config.number(first.key) ?? Double(first.default))
      self.init(size: size, slidingLayers: (0..<layers).map { $0 >= firstLayer })
    } else {
      self.init(size: size)
    }
  }
}
