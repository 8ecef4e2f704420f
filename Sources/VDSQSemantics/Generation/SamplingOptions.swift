/// How the next token is chosen. The steps and their order are those of transformers: repetition
/// penalty, temperature, top-k, top-p, min-p.
public struct SamplingOptions: Sendable, Equatable {
  /// The divisor of logits. 0 always takes the likeliest token, which is the default.
  public var temperature: Float = 0
  /// The number of likeliest tokens to choose from; 0 for all.
  public var topK = 0
  /// The share of the probability, above 0 and up to 1, that the likeliest tokens to choose from
  /// must have together.
  public var topP: Float = 1
  /// The probability, relative to that of the likeliest token, below which tokens are left out: 0
  /// to 1.
  public var minP: Float = 0
  /// Divides the positive logits of tokens that are in the text already, and multiplies negative
  /// ones (Keskar et al. 2019); above 0, and 1 for none.
  public var repetitionPenalty: Float = 1
  /// The seed of the random numbers: the same seed, prompt and number of threads give the same
  /// text.
  public var seed: UInt64 = 0

  /// The likeliest token, without a penalty.
  public init() {}

  /// Whether the likeliest token is taken as the model gives it.
  package var isPlain: Bool { temperature == 0 && repetitionPenalty == 1 }
}
