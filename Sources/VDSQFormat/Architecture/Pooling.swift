/// How the states of the last layer become the vector of a text.
///
/// The names are those of `pooling_mode` in sentence-transformers, except for `mask`.
package enum Pooling: CaseIterable, Sendable {
  /// The mean of all tokens' states.
  case mean
  /// The state of the first token, `[CLS]` in BERT.
  case cls
  /// The largest value of each dimension.
  case max
  /// The sum over the square root of the number of tokens.
  case meanSquareRoot
  /// The state of the first mask token, transformed by the head of a masked language model.
  case mask
  /// The state of the last token, after the final norm: the input of a causal language model's
  /// head.
  case lastToken

  /// Its name in metadata and in configurations.
  package var name: String {
    switch self {
    case .mean: "mean"
    case .cls: "cls"
    case .max: "max"
    case .meanSquareRoot: "mean_sqrt_len"
    case .mask: "mask"
    case .lastToken: "lasttoken"
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
