public import VDSQInference
public import VDSQSemantics

/// How a model is run.
public struct RunOptions: Sendable {
  /// Threads that share the work of one call, from 1 to 256.
  public var threads = 1
  /// The arithmetic of int8 weights.
  public var precision = Precision.integer
  /// The maximum number of tokens of a text; longer texts are truncated. Nil means the model's
  /// longest sequence, but at most `TextEncoder.defaultLongest` for causal models.
  public var maximumTokens: Int?
  /// The number of texts of maximum length in a batch, from 1 to 4096; nil for enough to keep all
  /// threads busy.
  public var batch: Int?
  /// How layers are kept in memory. Nil means resident, or the fastest policy that `memoryBudget`
  /// allows.
  public var memoryPolicy: MemoryPolicy?
  /// The limit of the process's peak resident memory in bytes; nil for no limit.
  public var memoryBudget: Int?
  /// Called with a line for a person if the budget has room for shorter texts only than
  /// `maximumTokens` nil allows. Texts are cut to as many tokens as there is room for, 32 at least.
  /// Nil refuses such a budget, and so does a number in `maximumTokens`.
  public var onCutForBudget: (@Sendable (String) -> Void)?
  /// The number of dimensions that the vectors of a sentence encoder are cut to (Matryoshka
  /// representations); they are scaled to length 1 again if the model's are. Nil for all.
  public var dimensions: Int?
  /// The name of the model's prompt that precedes every text, label words included; nil for the
  /// model's default.
  public var prompt: String?
  /// The number of callers that are served at a time, at least 1. Each has its own arena; all share
  /// one set of weights. Further callers wait.
  public var concurrency = 1

  /// Directions that are added to the states of a layer of the texts, but not of label words. No
  /// directions change nothing.
  public var steering = SteeringDirections()
  /// A repair of a causal language model; nil for none.
  public var repair: Repair?
  /// Called with a line for a person if the name of a token of `steering` is ambiguous.
  public var onNote: (@Sendable (String) -> Void)?

  /// The numbers of the keys and values that a generator keeps for the tokens to come. Those of a
  /// pass itself are floats.
  public var keyPrecision = KeyPrecision.float32

  /// The number of texts of each caller that can go on, as those of a generator do.
  package var keptTexts = 0

  /// One thread, one caller, all weights resident.
  public init() {}

  /// The options of an encoder under a policy.
  package func encoderOptions(_ policy: MemoryPolicy = .resident) -> TextEncoder.Options {
    var options = TextEncoder.Options()
    options.threads = threads
    options.precision = precision
    options.maximumTokens = maximumTokens
    (options.dimensions, options.prompt) = (dimensions, prompt)
    (options.keptTexts, options.keyPrecision) = (keptTexts, keyPrecision)
    options.neuronUpdates = repair?.updates
    options.keepsThreadsBusy = batch == nil
    options.batch = batch ?? 1
    options.policy = policy
    return options
  }
}
