public import VDSQInference
public import VDSQSemantics

/// What few-shot training may be told beside the model, the labels and the examples.
public struct TrainingOptions: Sendable {
  public var method = TrainingMethod.joint
  /// A sentence around each label's words, or around each text; nil for the usual ones around
  /// labels.
  public var template: Template?
  /// Seed of random numbers.
  public var seed: UInt64 = 1
  /// A folder that keeps examples' hidden states between runs; nil for none.
  public var cacheFolder: String?
  /// Whether the encoder's weights may be updated. Where they are not, all adapters that are
  /// trained read the same states.
  public var allowsFinetuning = true
  /// How the model is run. The memory policy and intermediate features are the plan's to say.
  public var encoder = TextEncoder.Options()
  /// How layers' weights are in memory; nil for the fastest policy that the budget allows.
  public var memoryPolicy: MemoryPolicy?
  /// The most bytes that the process may take at its peak; nil for no limit.
  public var memoryBudget: Int?

  public init() {}
}
