public import CVDSQ
import VDSQ

/// A scorer of texts.
final class ScorerHandle: Handle, @unchecked Sendable {
  override class var kind: String { "a scorer" }

  let scorer: TextScorer

  init(
    _ model: OpaquePointer?, _ options: UnsafePointer<vdsq_run_options>?
  ) throws(VDSQError) {
    scorer = try TextScorer(
      model: try ModelHandle.find(model).model, options: try RunOptions(options))
  }

  /// Writes the score of each text.
  ///
  /// - Parameter contexts: what precedes each text; nil for whole texts.
  func score(
    _ texts: Texts, after contexts: Texts?, into scores: UnsafeMutablePointer<vdsq_text_score>
  ) throws(VDSQError) {
    let session = try TextScorer.Session(scorer)
    defer { session.end() }
    var done = 0
    func flush() throws(VDSQError) {
      try session.scores { _, score in
        scores[done] = vdsq_text_score(score)
        done += 1
      }
    }
    for index in 0..<texts.count {
      if !session.hasRoom { try flush() }
      if let contexts {
        try session.add(texts[index], after: contexts[index])
      } else {
        try session.add(texts[index])
      }
    }
    try flush()
  }
}

extension vdsq_text_score {
  fileprivate init(_ score: TextScore) {
    self.init()
    log_probability = score.logProbability
    tokens = UInt32(score.count)
    if score.isGreedy { flags |= UInt32(VDSQ_SCORE_GREEDY) }
    if score.isContextCut { flags |= UInt32(VDSQ_SCORE_CONTEXT_CUT) }
  }
}

@c @implementation
public func vdsq_scorer_open(
  _ model: OpaquePointer!, _ options: UnsafePointer<vdsq_run_options>!,
  _ scorer: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(scorer) { () throws(VDSQError) in try ScorerHandle(model, options) }
}

@c @implementation
public func vdsq_scorer_close(_ scorer: OpaquePointer!) { ScorerHandle.close(scorer) }

@c @implementation
public func vdsq_score(
  _ scorer: OpaquePointer!, _ contexts: UnsafePointer<UnsafePointer<CChar>?>!,
  _ contextLengths: UnsafePointer<Int>!, _ texts: UnsafePointer<UnsafePointer<CChar>?>!,
  _ lengths: UnsafePointer<Int>!, _ count: Int, _ scores: UnsafeMutablePointer<vdsq_text_score>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let scorer = try ScorerHandle.find(scorer)
    let texts = try Texts(texts, lengths, count, "texts")
    let contexts = try contexts.map { (contexts) throws(VDSQError) in
      try Texts(contexts, contextLengths, count, "contexts")
    }
    guard count > 0 else { return }
    guard let scores else { throw .usage("scores is NULL") }
    try scorer.score(texts, after: contexts, into: scores)
  }
}
