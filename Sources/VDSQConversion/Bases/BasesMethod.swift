/// The definition of vocabulary bases from the LM head W (docs/vocabulary-semantics.md, "Bases").
public enum BasesMethod: String, Sendable, CaseIterable {
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

/// The options of a solver.
public struct BasesOptions: Sendable {
  /// The definition of the bases.
  public var method = BasesMethod.pinv
  /// Singular values below this share of the largest count as zero. Nil means the precision of
  /// float64 times the larger dimension.
  public var rcond: Double?
  /// The penalty of `ridge`, as a share of the mean squared singular value.
  public var lambda = 1e-3
  /// The limit of the process's peak memory in bytes; nil for no limit.
  public var budget: Int?
  /// The number of threads of OpenBLAS, at least 1.
  public var threads = 1
  /// Whether bases are bit-identical on every machine of an architecture (x86-64 with AVX2, ARMv8).
  public var portable = false

  /// Creates the default options: `pinv` on one thread, without a memory limit.
  public init() {}
}

/// The properties of a head that a solver found.
public struct BasesReport: Sendable {
  /// The definition of the bases.
  public var method = BasesMethod.pinv
  /// The number of tokens, one basis each.
  public var rows = 0
  /// The dimensions of a basis.
  public var columns = 0
  /// The largest singular value divided by the smallest that counts.
  public var condition = 1.0
  /// The number of singular values that count.
  public var rank = 0
  /// The exponential of the entropy of the normalised singular values (Roy and Vetterli 2007).
  public var effectiveRank = 0.0
  /// `|W S^T e_v - e_v|` over the sampled tokens: the distance between the head's image of a basis
  /// and a one-hot vector.
  public var meanError = 0.0
  /// The maximum of that distance over the sampled tokens.
  public var largestError = 0.0
  /// The number of sampled tokens, spread evenly over the vocabulary; 0 for `head` and `embedding`,
  /// which have no error.
  public var sampled = 0
  /// Whether the head was too ill-conditioned for the normal equations and was solved in two steps.
  public var refined = false
}
