public import VDSQInference
public import VDSQSemantics

/// The options of few-shot training.
public struct TrainingOptions: Sendable {
  /// The training method.
  public var method = TrainingMethod.joint
  /// A template around label words or around texts; nil for the default templates around label
  /// words.
  public var template: Template?
  /// Seed of random numbers.
  public var seed: UInt64 = 1
  /// A folder that keeps examples' hidden states between runs; nil for none.
  public var cacheFolder: String?
  /// Whether the encoder's weights may be updated. If not, all trained adapters read the same
  /// states.
  public var allowsFinetuning = true
  /// How the model is run. The plan sets the memory policy and the intermediate features.
  public var encoder = TextEncoder.Options()
  /// How layers are kept in memory; nil for the fastest policy that the budget allows.
  public var memoryPolicy: MemoryPolicy?
  /// The limit of the process's peak memory in bytes; nil for no limit.
  public var memoryBudget: Int?

  /// The defaults: the method `joint`, seed 1, no cache and no memory limit.
  public init() {}
}
