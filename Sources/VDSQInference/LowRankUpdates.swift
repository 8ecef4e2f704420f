public import VDSQKernels

/// Low-rank updates of the queries' and values' weights of every layer (Hu et al. 2021): what an adapter may change of
/// an encoder without a copy of its weights.
public struct LowRankUpdates: Sendable, Equatable {
  public let rank: Int
  public let layers: Int
  public let hiddenSize: Int
  /// `[layers, 2, 2 rank, hiddenSize]`: rows that a layer's inputs are multiplied by, queries' and then values', and
  /// rows that the products are multiplied by.
  public let values: [Float]

  /// - Parameter values: `layers * 4 * rank * hiddenSize` of them.
  public init(rank: Int, layers: Int, hiddenSize: Int, values: [Float]) {
    precondition(values.count == layers * 4 * rank * hiddenSize)
    self.rank = rank
    self.layers = layers
    self.hiddenSize = hiddenSize
    self.values = values
  }
}

extension KernelTable {
  /// Adds what a layer's updates make of one of its inputs to the row's queries and values.
  ///
  /// - Parameters:
  ///   - layer: the layer's values, as `LowRankUpdates` has them.
  ///   - scale: what products are multiplied by.
  ///   - products: receives the `2 * rank` products.
  ///   - qkv: `[3, columns]`: queries, keys and values.
  public func addUpdates(
    _ layer: UnsafePointer<Float>, rank: Int, columns: Int, scale: Float = 1,
    of x: UnsafePointer<Float>, products: UnsafeMutablePointer<Float>,
    to qkv: UnsafeMutablePointer<Float>
  ) {
    dotRows(x, layer, 2 * rank, columns, products)
    let up = layer + 2 * rank * columns
    for k in 0..<2 * rank {
      addScaled(
        scale * products[k], up + k * columns, columns, qkv + (k < rank ? 0 : 2 * columns))
    }
  }
}
