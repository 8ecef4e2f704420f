/// A hidden state of one of a sentence encoder's intermediate layers that is appended to a text's
/// vector, `[hidden size]`, scaled to length 1.
///
///     IntermediateFeature(4)                    // pooled over the text's tokens
///     IntermediateFeature(5, of: .firstToken)
public struct IntermediateFeature: Equatable, Sendable {
  /// Which tokens' states it is made of.
  public enum Tokens: Sendable {
    /// All of the text's, pooled as the model pools its last layer.
    case pooled
    /// The first behind the token that opens a sequence: questions begin with what they ask for.
    case firstToken
  }

  /// Counted from 1, below the number of the model's layers.
  public let layer: Int
  /// The tokens whose states make the feature.
  public let tokens: Tokens

  /// A feature of a layer, counted from 1. A model checks the layer when it is opened.
  public init(_ layer: Int, of tokens: Tokens = .pooled) {
    self.layer = layer
    self.tokens = tokens
  }
}
