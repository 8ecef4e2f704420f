/// What the distance of two tokens adds to the scores of attention, for each head.
package enum DistanceBias: Equatable, Sendable {
  /// Nothing.
  case none
  /// A number for each distance from `-limit` to `limit`, 1 to 2^16; farther tokens have that of
  /// the limit. The tensor `attention.distances` has them, `[2 limit + 1, heads]`: the distance is
  /// the place of the key less that of the query. T5's buckets (Raffel et al. 2020) become such
  /// numbers.
  case learned(limit: Int)
  /// The distance times a slope, as a loss (ALiBi, Press et al. 2022). The tensor
  /// `attention.slopes` has the slope of each head.
  case linear
  /// The products of queries and keys with vectors of distances (He et al. 2021, DeBERTa). The rows
  /// of the tensor `attention.distance_rows` go through the projections of keys and queries of each
  /// layer; `attention.distance_places` has the row of each distance from `-limit` to `limit`, that
  /// of the query less that of the key.
  case disentangled(rows: Int, limit: Int)
}
