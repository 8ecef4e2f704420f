public import VDSQFormat
package import VDSQInference
import VDSQSemantics

/// Scores texts with a causal language model, by the conventions of lm-evaluation-harness.
///
///     let scorer = try TextScorer(model: try Model(path: "smollm2.vdsq"))
///     let paris = try scorer.score(" Paris", after: "The capital of France is")
///     print(paris.logProbability, paris.isGreedy)
///     print(try scorer.score("Water boils at 100 degrees.").perplexity)
///
/// A scorer can be used from several threads. `RunOptions.concurrency` is the number of threads
/// that are served at a time. All share the model's map.
public final class TextScorer: @unchecked Sendable {
  let pool: EncoderPool
  /// The token from which the first one of a text is predicted; nil if the file does not say.
  let beginning: Int32?
  let path: String
  /// The maximum number of tokens of a pass. Longer texts are read in windows; of longer pairs, the
  /// beginning of the context is left out.
  public let maximumTokens: Int

  /// - Throws: `usage` if the model is no causal language model, or for options out of range;
  ///   `badInput` for a model that cannot be run; `budgetTooSmall` if the memory budget does not
  ///   suffice.
  public convenience init(
    model: Model, options: RunOptions = RunOptions()
  ) throws(VDSQError) {
    try self.init(model: model, options: options, more: 0)
  }

  /// - Parameter more: bytes that the caller needs beside the model.
  package init(model: Model, options: RunOptions, more: Int) throws(VDSQError) {
    path = model.path
    let architecture = try Architecture(model.description.metadata)
    guard architecture.pooling == .nextToken else {
      throw .usage(
        "\(model.path): the model is no causal language model, which gives probabilities")
    }
    let longest = min(
      options.maximumTokens ?? TextEncoder.defaultLongest, architecture.maximumTokens)
    // What is out of range is refused where the model is opened.
    let batch = min(max(options.batch ?? 1, 1), 1 << 16) * longest + 32 * min(options.threads, 1024)
    pool = try EncoderPool(
      model, options, adapter: nil, comparing: .head,
      more: more + batch * architecture.hiddenSize * 4)
    let encoder = try pool.take()
    maximumTokens = encoder.maximumTokens
    beginning = try encoder.firstToken()
    pool.give(encoder)
    pool.settle()
  }

  /// The score of a whole text (`loglikelihood_rolling`).
  ///
  /// Its first token is predicted from the tokenizer's token of the beginning, or of the end if
  /// there is no other. A text of more than `maximumTokens` tokens is read in windows that do not
  /// overlap; the last one takes the tokens before it as context.
  ///
  /// - Parameter keepsTokens: whether the result has the score of each token.
  /// - Throws: `badInput` if the file does not name the token of the beginning, or cannot be read.
  public func score(_ text: String, keepsTokens: Bool = false) throws(VDSQError) -> TextScore {
    try withSession(keepsTokens: keepsTokens) { (session) throws(VDSQError) in
      try Array(text.utf8).withBytes { (text) throws(VDSQError) in try session.add(text) }
    }
  }

  /// The score of a text behind another one (`loglikelihood`).
  ///
  /// White space at the end of the context belongs to the continuation. The context begins with the
  /// special tokens of the tokenizer, unless it has them already; an empty one is the token of the
  /// beginning.
  ///
  /// - Parameter keepsTokens: whether the result has the score of each token.
  /// - Throws: `badInput` if the continuation has no tokens or more than `maximumTokens`, or the
  ///   file cannot be read.
  public func score(
    _ continuation: String, after context: String, keepsTokens: Bool = false
  ) throws(VDSQError) -> TextScore {
    try withSession(keepsTokens: keepsTokens) { (session) throws(VDSQError) in
      try Array(context.utf8).withBytes { (context) throws(VDSQError) in
        try Array(continuation.utf8).withBytes { (continuation) throws(VDSQError) in
          try session.add(continuation, after: context)
        }
      }
    }
  }

  /// Changes the down projections from the next text on; nil to none. For a scorer of one caller.
  ///
  /// - Throws: `badInput` if the model does not have such layers.
  package func update(_ updates: NeuronUpdates?) throws(VDSQError) {
    let encoder = try pool.take()
    defer { pool.give(encoder) }
    try encoder.update(updates)
  }

  private func withSession(
    keepsTokens: Bool, _ add: (Session) throws(VDSQError) -> Void
  ) throws(VDSQError) -> TextScore {
    let session = try Session(self, keepsTokens: keepsTokens)
    defer { session.end() }
    try add(session)
    var result = TextScore()
    try session.scores { _, score in result = score }
    return result
  }
}
