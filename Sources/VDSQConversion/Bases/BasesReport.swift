/// The properties of a head that a solver found.
public struct BasesReport: Sendable {
  /// The definition of the bases.
  public var method = BasesMethod.balanced
  /// The number of tokens, one basis each.
  public var rows = 0
  /// The dimensions of a basis.
  public var columns = 0
  /// The temperature at which probabilities of cosines are closest to those of the head, if the
  /// method finds one.
  public var temperature: Double?
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
