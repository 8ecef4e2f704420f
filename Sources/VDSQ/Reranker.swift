public import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Scores passages for a query with a cross-encoder: a model whose head reads both as a pair and
/// answers with one logit.
///
///     let reranker = try Reranker(model: try Model(path: "ms-marco.vdsq"))
///     for hit in try reranker.rank("capital of France", passages, top: 3) {
///       print(passages[hit.index], hit.score)
///     }
///
/// A reranker can be used from several threads. `RunOptions.concurrency` is the number of threads
/// that are served at a time. All share the model's map.
public final class Reranker: @unchecked Sendable {
  /// A passage and its score.
  public struct Ranked: Sendable, Equatable {
    /// The passage's index.
    public let index: Int
    /// What sentence-transformers' CrossEncoder predicts: from 0 to 1, or a logit if the checkpoint
    /// says so.
    public let score: Float
  }

  private let pool: EncoderPool
  private let head: ModelHead
  private let function: OutputHead.Function
  /// The maximum number of tokens of a query and a passage; longer pairs are truncated, the longer
  /// text first.
  public let maximumTokens: Int

  /// - Throws: `usage` if the model is no cross-encoder, or for options out of range; `badInput`
  ///   for a model that cannot be run; `budgetTooSmall` if the memory budget does not suffice.
  public init(model: Model, options: RunOptions = RunOptions()) throws(VDSQError) {
    pool = try EncoderPool(model, options, adapter: nil, more: ModelHead.bytes(model.description))
    let encoder = try pool.take()
    maximumTokens = encoder.maximumTokens
    head = try ModelHead.ofTexts(encoder.container, kernels: encoder.kernels)
    guard let function = head.description.rankingFunction, encoder.pairFrame != nil else {
      throw .usage(
        "\(model.path): the model is no cross-encoder: its head has "
          + "\(counted(head.description.labels.count, "label")) instead of one")
    }
    self.function = function
    pool.give(encoder)
    pool.settle()
  }

  /// The score of each passage, in order.
  ///
  /// - Throws: `badInput` if the model's weights cannot be read.
  public func scores(_ query: String, _ passages: [String]) throws(VDSQError) -> [Float] {
    let session = try Session(self, query: Array(query.utf8))
    defer { session.end() }
    var scores: [Float] = []
    scores.reserveCapacity(passages.count)
    func flush() throws(VDSQError) {
      try session.scores { _, score in scores.append(score) }
    }
    for passage in passages {
      if !session.hasRoom { try flush() }
      let bytes = Array(passage.utf8)
      _ = try bytes.withBytes { (bytes) throws(VDSQError) in try session.add(bytes) }
    }
    try flush()
    return scores
  }

  /// The passages of the highest scores, best first; of equal ones the earlier first.
  ///
  /// - Parameter top: the number of passages; nil for all.
  /// - Throws: `badInput` if the model's weights cannot be read.
  public func rank(
    _ query: String, _ passages: [String], top: Int? = nil
  ) throws(VDSQError) -> [Ranked] {
    var ranking = TopRanking<Int>(capacity: max(0, top ?? passages.count))
    for (index, score) in try scores(query, passages).enumerated() {
      ranking.add(index, score: score)
    }
    return ranking.entries.map { Ranked(index: $0.element, score: $0.score) }
  }

  /// The working memory of one caller with one query.
  package final class Session {
    private let reranker: Reranker
    private let encoder: TextEncoder
    private let query: [UInt8]
    private var scratch: [Float]
    private var logit: [Float] = [0]

    package init(_ reranker: Reranker, query: [UInt8]) throws(VDSQError) {
      self.reranker = reranker
      self.query = query
      encoder = try reranker.pool.take()
      scratch = [Float](repeating: 0, count: reranker.head.scratchCount)
    }

    /// Returns the encoder. The session must not be used afterwards.
    package func end() { reranker.pool.give(encoder) }

    /// Whether a passage of any length still fits into the batch.
    package var hasRoom: Bool { encoder.hasRoom }

    /// Passages in the batch.
    package var count: Int { encoder.count }

    /// Adds a passage to the batch, which must have room.
    package func add(
      _ passage: UnsafeRawBufferPointer
    ) throws(VDSQError) -> (tokens: Int, truncated: Bool) {
      try query.withBytes { (query) throws(VDSQError) in try encoder.add(query, passage) }
    }

    /// Calls `body` with the score of each passage of the batch, in order, and empties the batch.
    package func scores(
      _ body: (_ index: Int, _ score: Float) throws(VDSQError) -> Void
    ) throws(VDSQError) {
      try encoder.encode { (index, state) throws(VDSQError) in
        scratch.withUnsafeMutableBufferPointer { scratch in
          logit.withUnsafeMutableBufferPointer {
            reranker.head.logits(
              state, scratch: scratch.baseAddress!, into: $0.baseAddress!)
          }
        }
        reranker.function.apply(to: &logit)
        try body(index, logit[0])
      }
    }
  }
}
