/// How the states of the last layer become the vector of a text.
///
/// The names are those of `pooling_mode` in sentence-transformers, except for `mask` and
/// `next_token`.
package enum Pooling: CaseIterable, Sendable {
  /// The mean of all tokens' states.
  case mean
  /// The state of the first token, `[CLS]` in BERT.
  case cls
  /// The largest value of each dimension.
  case max
  /// The sum over the square root of the number of tokens.
  case meanSquareRoot
  /// The mean of all tokens' states, each weighted with its position counted from 1.
  case weightedMean
  /// The state of the last token.
  case lastToken
  /// The state of the first mask token, transformed by the head of a masked language model.
  case mask
  /// The state of the last token of a causal language model, which its head reads.
  case nextToken

  /// Its name in metadata and in configurations.
  package var name: String {
    switch self {
    case .mean: "mean"
    case .cls: "cls"
    case .max: "max"
    case .meanSquareRoot: "mean_sqrt_len"
    case .weightedMean: "weightedmean"
    case .lastToken: "lasttoken"
    case .mask: "mask"
    case .nextToken: "next_token"
    }
  }

  /// The most poolings whose vectors follow one another.
  package static let most = 8

  /// The factor of the sum over `count` tokens; 1 for poolings that sum nothing.
  ///
  /// - Parameter skipped: the number of tokens before them, which are not summed but keep their
  ///   places.
  package func scale(of count: Int, after skipped: Int = 0) -> Float {
    let n = Float(count)
    switch self {
    case .mean: return 1 / n
    case .meanSquareRoot: return 1 / n.squareRoot()
    case .weightedMean: return 2 / (n * (n + 1 + 2 * Float(skipped)))
    case .cls, .max, .lastToken, .mask, .nextToken: return 1
    }
  }

  /// The pooling of a name; nil if there is none.
  package init?(named name: String) {
    for pooling in Self.allCases where pooling.name.utf8.elementsEqual(name.utf8) {
      self = pooling
      return
    }
    return nil
  }
}
