import Glibc
import VDSQ
package import VDSQFormat
package import VDSQInference
import VDSQSemantics

/// What a repair changes: whether answers hold, also behind paraphrased prompts, and how many
/// predictions change in texts that should stay as they are.
package struct RepairEvaluation: Sendable {
  /// A fix before and after the repair.
  package struct Outcome: Sendable {
    package let fix: Fix
    /// Whether greedy decoding gives the answer.
    package let heldBefore, holds: Bool
    /// The natural logarithm of the answer's probability.
    package let logProbabilityBefore, logProbability: Double
    /// Behind how many paraphrases greedy decoding gives the answer.
    package let paraphrasesBefore, paraphrases: Int
  }

  /// Predictions in texts that should stay as they are.
  package struct Kept: Sendable {
    package let texts, tokens: Int
    /// The number of tokens behind which another token is likeliest now.
    package let changed: Int
    /// Perplexities per token.
    package let perplexityBefore, perplexity: Double
  }

  package let outcomes: [Outcome]
  /// Nil without such texts.
  package let kept: Kept?

  /// The number of fixes that hold.
  package var held: Int { outcomes.count(where: \.holds) }
  package var heldBefore: Int { outcomes.count(where: \.heldBefore) }
  /// The number of all paraphrases, and behind how many the answer holds.
  package var paraphrases: Int { outcomes.reduce(0) { $0 + $1.fix.paraphrases.count } }
  package var paraphrasesHeld: Int { outcomes.reduce(0) { $0 + $1.paraphrases } }
  package var paraphrasesHeldBefore: Int { outcomes.reduce(0) { $0 + $1.paraphrasesBefore } }

  /// - Parameters:
  ///   - kept: ids of texts that the repair did not see, at least two of each.
  ///   - updates: the repair.
  ///   - encoder: the model, which has the updates afterwards.
  ///   - threads: what shares the rows of the head.
  ///   - progress: called with the number of texts of `kept` that are read, twice each.
  /// - Throws: `badInput` if a paraphrase is longer than the model's longest sequence, or the file
  ///   cannot be read.
  package init(
    _ fixes: [Fix], kept: [[Int32]], updates: NeuronUpdates, encoder: TextEncoder,
    threads: ThreadPool, progress: (Int) -> Void = { _ in }
  ) throws(VDSQError) {
    let reader = try AnswerReader(encoder, threads: threads)
    try encoder.update(nil)
    var before: [[(holds: Bool, logProbability: Double)]] = []
    for fix in fixes { before.append(try reader.read(fix)) }
    var (likeliest, logBefore): ([Int32], Double) = ([], 0)
    for (index, ids) in kept.enumerated() {
      logBefore += try reader.predictions(ids) { likeliest.append($0) }
      progress(index + 1)
    }
    try encoder.update(updates)
    var outcomes: [Outcome] = []
    for (fix, before) in zip(fixes, before) {
      let now = try reader.read(fix)
      outcomes.append(
        Outcome(
          fix: fix, heldBefore: before[0].holds, holds: now[0].holds,
          logProbabilityBefore: before[0].logProbability, logProbability: now[0].logProbability,
          paraphrasesBefore: before.dropFirst().count { $0.holds },
          paraphrases: now.dropFirst().count { $0.holds }))
    }
    self.outcomes = outcomes
    var (log, place, changed) = (0.0, 0, 0)
    for (index, ids) in kept.enumerated() {
      log += try reader.predictions(ids) {
        if $0 != likeliest[place] { changed += 1 }
        place += 1
      }
      progress(kept.count + index + 1)
    }
    let predicted = Double(kept.reduce(0) { $0 + $1.count - 1 })
    self.kept =
      kept.isEmpty
      ? nil
      : Kept(
        texts: kept.count, tokens: place, changed: changed,
        perplexityBefore: exp(-logBefore / max(1, predicted)),
        perplexity: exp(-log / max(1, predicted)))
  }
}

/// Reads answers behind prompts, and predictions within texts.
private final class AnswerReader {
  private let encoder: TextEncoder
  private let head: VocabularyLogits
  private let beginning: Int32?
  private let states: Floats

  init(_ encoder: TextEncoder, threads: ThreadPool) throws(VDSQError) {
    self.encoder = encoder
    beginning = try encoder.firstToken()
    head = VocabularyLogits(
      rows: try VocabularyRows(head: encoder.container), kernels: encoder.kernels,
      threads: threads, capacity: 1)
    states = Floats(encoder.maximumTokens * encoder.hiddenSize)
  }

  /// The answer behind the prompt, and behind each paraphrase.
  func read(_ fix: Fix) throws(VDSQError) -> [(holds: Bool, logProbability: Double)] {
    var results: [(holds: Bool, logProbability: Double)] = []
    for prompt in [fix.prompt] + fix.paraphrases {
      let answer = try AnswerTokens(fix.answer, after: prompt, encoder, beginning: beginning)
      try readStates(answer.ids)
      var result = (holds: true, logProbability: 0.0)
      head.score(
        states.p + answer.rows.lowerBound * encoder.hiddenSize, count: answer.tokens.count,
        ids: answer.tokens[...]
      ) { _, logProbability, isLikeliest in
        result.logProbability += logProbability
        if !isLikeliest { result.holds = false }
      }
      results.append(result)
    }
    return results
  }

  /// Calls `body` with the likeliest token behind each of a text's; returns the log-likelihood of
  /// all its tokens but the first.
  func predictions(_ ids: [Int32], _ body: (Int32) -> Void) throws(VDSQError) -> Double {
    try readStates(ids)
    var sum = 0.0
    head.find(states.p, count: ids.count, temperature: 1) { index, best in
      body(best.id)
      guard index + 1 < ids.count else { return }
      let logit = head.logit(states.p + index * encoder.hiddenSize, Int(ids[index + 1]))
      sum += Double(logit - best.value) + log(Double(best.probability))
    }
    return sum
  }

  private func readStates(_ ids: [Int32]) throws(VDSQError) {
    var batch = TokenBatch()
    batch.ids = ids
    batch.endSequence()
    try encoder.tokenStates(of: batch, into: states.p)
  }
}
