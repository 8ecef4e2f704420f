/// Local attention, in some layers or in all.
package struct SlidingWindow: Equatable, Sendable {
  /// The number of positions that a token attends to, including its own; 1 to 2^30.
  package let size: Int
  /// Whether the window applies to each layer; empty if it applies to all.
  package let slidingLayers: [Bool]

  /// A window of `size` positions.
  ///
  /// - Parameter slidingLayers: one value for each layer, or empty for all.
  package init(size: Int, slidingLayers: [Bool] = []) {
    self.size = size
    self.slidingLayers = slidingLayers
  }

  /// Whether the window applies to a layer.
  package func isSliding(layer: Int) -> Bool { slidingLayers.isEmpty || slidingLayers[layer] }
}
