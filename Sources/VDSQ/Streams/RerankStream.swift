package import VDSQFormat
import VDSQStreams

/// Scores the passages of a stream for a query, in constant memory: writes the best ones at the
/// end, or every score as passages come.
package final class RerankStream {
  /// The names of the members of an answer's JSON.
  package static let members: [StaticString] = ["score", "tokens", "truncated"]

  /// What is written of a passage when its batch is answered.
  private struct Kept {
    /// Its line number, text and passed fields, as they are written.
    let tags: [UInt8]
    let tokens: Int
    let isTruncated: Bool
  }

  private let records: RecordStream
  private let session: Reranker.Session
  private let isJSON: Bool
  private var best: TopRanking<Kept>?
  private var pending: [(tokens: Int, isTruncated: Bool)] = []

  /// - Parameters:
  ///   - records: the passages. Those that are ranked need line number and text in their tags.
  ///   - top: the number of passages to write, best first; nil writes all in their order.
  /// - Throws: `badInput` if the model cannot be opened once more.
  package init(
    _ records: RecordStream, reranker: Reranker, query: String, top: Int?, isJSON: Bool
  ) throws(VDSQError) {
    self.records = records
    self.isJSON = isJSON
    session = try Reranker.Session(reranker, query: Array(query.utf8))
    best = top.map { TopRanking(capacity: $0) }
  }

  deinit { session.end() }

  /// Answers all records.
  ///
  /// - Throws: what `RecordStream.forEach` throws; `badInput` if the model's weights cannot be
  ///   read.
  package func run() throws(VDSQError) {
    try records.forEach(
      { (record) throws(VDSQError) in
        if !session.hasRoom || records.tags.isLong { try flush() }
        let added = try session.add(record.text)
        pending.append((added.tokens, record.isCut || added.truncated))
        records.tags.add(record)
        records.counts.tokens += added.tokens
        if record.isCut || added.truncated { records.counts.truncated += 1 }
      }, pause: { () throws(VDSQError) in try flush() })
    guard let best else { return }
    for entry in best.entries {
      let kept = entry.element
      try kept.tags.withBytes { (tags) throws(VDSQError) in
        write(entry.score, tags, kept.tokens, kept.isTruncated)
      }
      try records.output.flushIfLong()
    }
    try records.output.flush()
  }

  private func flush() throws(VDSQError) {
    guard session.count > 0 else { return }
    try session.scores { (index, score) throws(VDSQError) in
      let (tokens, isTruncated) = pending[index]
      records.tags.withPart(index) { tags in
        guard best != nil else { return write(score, tags, tokens, isTruncated) }
        guard best!.accepts(score) else { return }
        best!.add(
          Kept(tags: Array(tags), tokens: tokens, isTruncated: isTruncated), score: score)
      }
      try records.output.flushIfLong()
    }
    pending.removeAll(keepingCapacity: true)
    records.tags.removeAll()
    try records.output.flush()
  }

  private func write(
    _ score: Float, _ tags: UnsafeRawBufferPointer, _ tokens: Int, _ isTruncated: Bool
  ) {
    let (output, json) = (records.output, records.json)
    if isJSON {
      json.object {
        json.write(members: tags)
        json.member("score", score, decimals: 6)
        json.member("tokens", tokens)
        json.member("truncated", isTruncated)
      }
    } else {
      output.write(score, decimals: 6)
      output.write(tags)
    }
    output.write("\n")
  }
}
