/// The definition of vocabulary bases from the LM head W (docs/vocabulary-semantics.md, "Bases").
public enum BasesMethod: String, Sendable, CaseIterable {
  /// Rows of the head plus one common vector that balances their lengths (`BalancedBases`).
  case balanced
  /// Rows of the transposed pseudo-inverse of W: the states that the head maps closest to one-hot
  /// vectors (arXiv 2401.16184).
  case pinv
  /// The same with a penalty on long bases: rows of W (W^T W + lambda)^-1.
  case ridge
  /// Rows of W as they are.
  case head
  /// Rows of the word embeddings: the input side.
  case embedding

  var isSolved: Bool { self == .pinv || self == .ridge }
}
