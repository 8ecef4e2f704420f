/// Why texts without labels are left out.
public enum UnlabelledRefusal: Equatable, Sendable {
  /// There are fewer than this number.
  case fewerThan(Int)
  /// There are more labels than this number.
  case moreLabelsThan(Int)
  /// Of two labels, the first would have this share of the texts. Then they are not about both
  /// labels alike, or not about them at all, and clusters among them need not be the labels.
  case uneven(share: Float)
}
