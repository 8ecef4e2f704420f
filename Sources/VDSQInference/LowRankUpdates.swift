import VDSQFormat

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
