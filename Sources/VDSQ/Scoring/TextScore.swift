/// How likely a language model finds a text.
public struct TextScore: Sendable, Equatable {
  /// A token of the text.
  public struct Token: Sendable, Equatable {
    /// The token's id.
    public let id: Int32
    /// The natural logarithm of its probability behind the tokens before it.
    public let logProbability: Double
  }

  /// The natural logarithm of the text's probability: the sum over its tokens. 0 for no tokens.
  public internal(set) var logProbability = 0.0
  /// The number of tokens that were predicted.
  public internal(set) var count = 0
  /// Whether every token is the likeliest one at its place: greedy decoding would give the text.
  public internal(set) var isGreedy = true
  /// Whether the beginning of the context was left out, because both together are longer than the
  /// model's longest sequence.
  public internal(set) var isContextCut = false
  /// The tokens, if they were asked for.
  public internal(set) var tokens: [Token] = []

  /// The perplexity per token: `exp(-logProbability / count)`; 1 for no tokens.
  public var perplexity: Double { ScoreTotals.exponential(-logProbability, per: count) }
}
