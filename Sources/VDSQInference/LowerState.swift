/// A state below a sentence encoder's last layer that follows a text's vector, of length 1.
public struct LowerState: Equatable, Sendable {
  /// Counted from 1.
  public let layer: Int
  /// Whether it is the state of the first token after the one that opens a sequence, rather than pooled over the
  /// text: questions begin with what they ask for.
  public let isFirstWord: Bool

  public init(_ layer: Int, isFirstWord: Bool = false) {
    self.layer = layer
    self.isFirstWord = isFirstWord
  }
}
