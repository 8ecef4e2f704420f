/// How vocabulary bases are made of the LM head W (design section 2.1).
public enum BasesMethod: String, Sendable, CaseIterable {
  /// Rows of the transposed pseudoinverse of W: what the head maps closest to one-hot vectors.
  case pinv
  /// The same with a penalty on long bases: rows of W (W^T W + lambda)^-1.
  case ridge
  /// Rows of W as they are.
  case head
  /// The input side: rows of the word embeddings.
  case embedding

  var isSolved: Bool { self == .pinv || self == .ridge }
}

/// What was asked of a solver.
public struct BasesOptions: Sendable {
  public var method = BasesMethod.pinv
  /// Singular values below this share of the largest count as zero; nil for the machine's precision
  /// times the larger dimension.
  public var rcond: Double?
  /// Ridge's penalty, as a share of the mean square singular value.
  public var lambda = 1e-3
  /// Bytes that the process may take at its peak; nil for as many as are useful.
  public var budget: Int?
  public var threads = 1
  /// Whether bases are to be the same bits on every machine of an architecture (x86-64 with AVX2, ARMv8).
  public var portable = false

  public init() {}
}

/// What a solver found out about the head.
public struct BasesReport: Sendable {
  public var method = BasesMethod.pinv
  public var rows = 0
  public var columns = 0
  /// The largest singular value over the smallest that counts.
  public var condition = 1.0
  /// Singular values that count.
  public var rank = 0
  /// The exponential of the entropy of the singular values' shares (Roy and Vetterli 2007).
  public var effectiveRank = 0.0
  /// `|W S^T e_v - e_v|` over the sampled tokens: how far from a one-hot vector the head maps a basis.
  public var meanError = 0.0
  public var largestError = 0.0
  public var sampled = 0
  /// Whether the head was too ill-conditioned for its normal equations, and was solved in two steps.
  public var refined = false
}
