/// Local attention, in some layers or in all.
public struct SlidingWindow: Equatable, Sendable {
  /// The number of positions that a token attends to, including its own; 1 to 2^30.
  public let size: Int
  /// Whether the window applies to each layer; empty if it applies to all.
  public let slidingLayers: [Bool]

  /// A window of `size` positions.
  ///
  /// - Parameter slidingLayers: one value for each layer, or empty for all.
  public init(size: Int, slidingLayers: [Bool] = []) {
    self.size = size
    self.slidingLayers = slidingLayers
  }

  /// Whether the window applies to a layer.
  public func isSliding(layer: Int) -> Bool { slidingLayers.isEmpty || slidingLayers[layer] }
}
