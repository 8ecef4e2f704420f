/// How weights of four bits are rounded.
public enum RoundingMethod: String, Sendable, CaseIterable {
  /// One after another: the error of each is taken out of the weights behind it in its row, by what
  /// the linear layer reads in the calibration text (GPTQ, Frantar et al., arXiv 2210.17323).
  case gptq
  /// Each to its nearest value.
  case nearest
}
