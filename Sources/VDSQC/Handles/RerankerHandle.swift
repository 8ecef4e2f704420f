public import CVDSQ
import VDSQ

/// A cross-encoder.
final class RerankerHandle: Handle, @unchecked Sendable {
  override class var kind: String { "a reranker" }

  let reranker: Reranker

  init(
    _ model: OpaquePointer?, _ options: UnsafePointer<vdsq_run_options>?
  ) throws(VDSQError) {
    reranker = try Reranker(
      model: try ModelHandle.find(model).model, options: try RunOptions(options))
  }

  func score(
    _ query: UnsafeRawBufferPointer, _ passages: Texts, into scores: UnsafeMutablePointer<Float>
  ) throws(VDSQError) {
    let session = try Reranker.Session(reranker, query: Array(query))
    defer { session.end() }
    var done = 0
    func flush() throws(VDSQError) {
      try session.scores { _, score in
        scores[done] = score
        done += 1
      }
    }
    for index in 0..<passages.count {
      if !session.hasRoom { try flush() }
      _ = try session.add(passages[index])
    }
    try flush()
  }
}

@c @implementation
public func vdsq_reranker_open(
  _ model: OpaquePointer!, _ options: UnsafePointer<vdsq_run_options>!,
  _ reranker: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(reranker) { () throws(VDSQError) in try RerankerHandle(model, options) }
}

@c @implementation
public func vdsq_reranker_close(_ reranker: OpaquePointer!) { RerankerHandle.close(reranker) }

@c @implementation
public func vdsq_rerank(
  _ reranker: OpaquePointer!, _ query: UnsafePointer<CChar>!, _ length: Int,
  _ passages: UnsafePointer<UnsafePointer<CChar>?>!, _ lengths: UnsafePointer<Int>!,
  _ count: Int, _ scores: UnsafeMutablePointer<Float>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let reranker = try RerankerHandle.find(reranker)
    let query = try Texts.one(query, length, "query")
    let passages = try Texts(passages, lengths, count, "passages")
    guard count > 0 else { return }
    guard let scores else { throw .usage("scores is NULL") }
    try reranker.score(query, passages, into: scores)
  }
}
