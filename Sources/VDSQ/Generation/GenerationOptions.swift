public import VDSQSemantics

/// What is generated behind a prompt, and when it ends.
public struct GenerationOptions: Sendable {
  /// The maximum number of tokens to generate.
  public var maximumTokens = 256
  /// How tokens are chosen; the likeliest one by default.
  public var sampling = SamplingOptions()
  /// Texts that end the generated text, which is without them.
  public var stops: [String] = []

  /// What the generated text must be; nil for anything.
  public var constraint: TextConstraint?

  /// Up to 256 tokens, each the likeliest one.
  public init() {}
}
