public import VDSQInference

/// How a model is run.
public struct RunOptions: Sendable {
  /// Threads that share the work of one call, from 1 to 256.
  public var threads = 1
  /// How int8 weights are multiplied.
  public var precision = Precision.integer
  /// The most tokens of one text; longer texts are cut. Nil for the model's longest sequence, or
  /// `TextEncoder.defaultLongest` where that of a causal model is longer.
  public var maximumTokens: Int?
  /// Texts of the longest kind in a batch, from 1 to 4096; nil for as many as keep all threads busy.
  public var batch: Int?
  /// How layers' weights are kept in memory; nil for all of them mapped, or for the fastest policy that
  /// `memoryBudget` allows.
  public var memoryPolicy: MemoryPolicy?
  /// The most bytes that the process may have resident at its peak; nil for no limit.
  public var memoryBudget: Int?
  /// How many callers are served at a time, at least 1: each has an arena of its own, all share one set of
  /// weights. Further callers wait.
  public var concurrency = 1

  /// One thread, one caller, all weights mapped.
  public init() {}

  /// The options of an encoder under a policy.
  package func encoderOptions(_ policy: MemoryPolicy = .resident) -> TextEncoder.Options {
    var options = TextEncoder.Options()
    options.threads = threads
    options.precision = precision
    options.maximumTokens = maximumTokens
    options.keepsThreadsBusy = batch == nil
    options.batch = batch ?? 1
    options.policy = policy
    return options
  }
}
