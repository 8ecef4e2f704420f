/// What the distance of two tokens adds to the scores of attention, for each head.
package enum DistanceBias: Equatable, Sendable {
  /// Nothing.
  case none
  /// A number for each distance from `-limit` to `limit`, 1 to 2^16; farther tokens have that of the
  /// limit. The tensor `attention.distances` has them, `[2 limit + 1, heads]`: the distance is the
  /// place of the key less that of the query. T5's buckets (Raffel et al. 2020) become such numbers.
  case learned(limit: Int)
  /// The distance times a slope, as a loss (ALiBi, Press et al. 2022). The tensor `attention.slopes`
  /// has the slope of each head.
  case linear

  /// The limit of learned distances; 0 if they are not learned.
  package var limit: Int {
    if case .learned(let limit) = self { limit } else { 0 }
  }
}
