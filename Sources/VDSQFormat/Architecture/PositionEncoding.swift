/// How a transformer encodes the position of a token.
package enum PositionEncoding: Equatable, Sendable {
  /// A learned vector for each position is added to the embeddings; a table of `rows`, 2 to 2^24.
  case learned(rows: Int)
  /// Pairs of elements of queries and keys are rotated by angles that grow with the position (Su et
  /// al. 2021).
  ///
  /// The first `dimensions` elements of a head are rotated, an even number. Cosines and sines are
  /// multiplied by `scale`, above 0. The tensor `rotary.frequencies` has the angles per position.
  case rotary(dimensions: Int, scale: Double)
  /// Positions are not encoded.
  case none

  /// Rows of the table of learned positions; 0 if there is none.
  package var learnedRows: Int {
    if case .learned(let rows) = self { rows } else { 0 }
  }

  /// Elements of a head that are rotated; 0 if positions are not rotary.
  package var rotaryDimensions: Int {
    if case .rotary(let dimensions, _) = self { dimensions } else { 0 }
  }

  /// The factor of rotary cosines and sines; 1 if positions are not rotary.
  package var rotaryScale: Double {
    if case .rotary(_, let scale) = self { scale } else { 1 }
  }
}
