package import VDSQKernels

/// Low-rank updates of the query and value weights of every layer (LoRA, Hu et al. 2021). With
/// them, an adapter changes an encoder without a copy of its weights.
package struct LowRankUpdates: Sendable, Equatable {
  /// The rank of each update: the number of rows of A, and of B.
  package let rank: Int
  /// The number of the encoder's layers. Every layer has updates.
  package let layers: Int
  /// The number of dimensions of the encoder's hidden states.
  package let hiddenSize: Int
  /// `[layers, 2, 2 rank, hiddenSize]`: for each layer the rows A that multiply its inputs, for
  /// queries and then values, and the rows B that multiply the products.
  package let values: [Float]

  /// - Parameter values: `layers * 4 * rank * hiddenSize` elements.
  package init(rank: Int, layers: Int, hiddenSize: Int, values: [Float]) {
    precondition(values.count == layers * 4 * rank * hiddenSize)
    self.rank = rank
    self.layers = layers
    self.hiddenSize = hiddenSize
    self.values = values
  }
}

extension KernelTable {
  /// Adds the updates of a layer, applied to one of its inputs, to the queries and values of that
  /// row.
  ///
  /// - Parameters:
  ///   - layer: the values of the layer, in the layout of `values`.
  ///   - scale: the factor of the products.
  ///   - products: receives the `2 * rank` products.
  ///   - qkv: `[3, columns]`: queries, keys and values.
  package func addUpdates(
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
