package import VDSQ
package import VDSQFormat

/// How often a language model finds the right text of minimal pairs likelier than the other one.
///
/// A text's score is the sum of the log-probabilities of its tokens (`TextScorer`). A pair of equal
/// scores counts as wrong.
public struct PairEvaluation: Sendable {
  /// The natural logarithms of both texts' probabilities.
  public struct Score: Sendable {
    /// Of the right text and of the other one.
    public let good, bad: Double
    /// How much likelier the right text is, in nats.
    public var difference: Double { good - bad }
  }

  /// The pairs of a task, or all pairs.
  public struct Task: Sendable {
    /// Its name; nil for all pairs.
    public let name: String?
    /// The number of pairs.
    public private(set) var count = 0
    /// The number of pairs whose right text is likelier.
    public private(set) var right = 0
    private var sum = 0.0

    fileprivate init(_ name: String?) { self.name = name }

    fileprivate mutating func add(_ score: Score) {
      count += 1
      if score.difference > 0 { right += 1 }
      sum += score.difference
    }

    /// The share of pairs whose right text is likelier, from 0 to 1.
    public var accuracy: Double { Double(right) / Double(max(1, count)) }
    /// The 95% confidence interval of the accuracy over pairs (Wilson's score interval).
    public var interval: ClosedRange<Double> { ScoreInterval.ofShare(right, of: count) }
    /// The mean difference, in nats.
    public var meanDifference: Double { sum / Double(max(1, count)) }
  }

  /// The pairs, in the order of the file.
  public let pairs: [MinimalPair]
  /// Their scores.
  public let scores: [Score]
  /// The tasks, in the order in which they first occur.
  public let tasks: [Task]
  /// All pairs.
  public let total: Task

  /// - Parameter report: called with the number of scored pairs.
  /// - Throws: `badInput` if the file does not name the token of the beginning, or cannot be read.
  package init(
    of pairs: [MinimalPair], scorer: TextScorer, report: (Int) -> Void = { _ in }
  ) throws(VDSQError) {
    let session = try TextScorer.Session(scorer)
    defer { session.end() }
    var values: [Double] = []
    values.reserveCapacity(2 * pairs.count)
    for pair in pairs {
      for text in [pair.good, pair.bad] {
        if !session.hasRoom {
          try session.scores { _, score in values.append(score.logProbability) }
          report(values.count / 2)
        }
        try Array(text.utf8).withBytes { (text) throws(VDSQError) in try session.add(text) }
      }
    }
    try session.scores { _, score in values.append(score.logProbability) }
    self.init(pairs, pairs.indices.map { Score(good: values[2 * $0], bad: values[2 * $0 + 1]) })
  }

  /// Pairs whose scores are known.
  package init(_ pairs: [MinimalPair], _ scores: [Score]) {
    self.pairs = pairs
    self.scores = scores
    var tasks: [Task] = []
    var places: [ByteString: Int] = [:]
    var total = Task(nil)
    for (pair, score) in zip(pairs, scores) {
      let name = ByteString(pair.task)
      if places[name] == nil {
        places[name] = tasks.count
        tasks.append(Task(pair.task))
      }
      tasks[places[name]!].add(score)
      total.add(score)
    }
    (self.tasks, self.total) = (tasks, total)
  }
}
