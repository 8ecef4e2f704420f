import VDSQFormat
import VDSQStreams

/// Scores the records of a stream with a language model, in constant memory: texts, or pairs of a
/// context and its continuation. Writes a line per record, or only the totals.
package final class ScoreStream {
  /// What is written.
  package struct Options {
    /// Whether answers are JSON objects.
    package var isJSON = false
    /// Whether JSON has the score of each token.
    package var keepsTokens = false
    /// Whether only the totals are written, at the end.
    package var onlyTotals = false

    /// A line of text for each record.
    package init() {}
  }

  /// The names of the members of an answer's JSON.
  package static let members: [StaticString] = [
    "logprob", "tokens", "words", "bytes", "greedy", "truncated", "token_logprobs",
  ]

  /// What is written of a text when its batch is answered.
  private struct Pending {
    let words: Int
    let bytes: Int
    let isPair: Bool
    let isCut: Bool
  }

  private let records: RecordStream
  private let session: TextScorer.Session
  private let options: Options
  private var pending: [Pending] = []
  /// The texts so far.
  package private(set) var totals = ScoreTotals()

  /// - Throws: `badInput` if the model cannot be opened once more.
  package init(
    _ records: RecordStream, scorer: TextScorer, options: Options
  ) throws(VDSQError) {
    self.records = records
    self.options = options
    session = try TextScorer.Session(scorer, keepsTokens: options.keepsTokens)
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
        try add(record)
      }, pause: { () throws(VDSQError) in try flush() })
  }

  /// Scores one text, as `run` scores a record.
  ///
  /// - Throws: `badInput` if the model's weights cannot be read.
  package func add(document: UnsafeRawBufferPointer) throws(VDSQError) {
    records.counts.texts += 1
    if UTF8Decoder.replacements(in: document) > 0 { records.counts.replaced += 1 }
    try session.add(document)
    pending.append(pendingText(document, isPair: false, isCut: false))
    try flush()
  }

  private func add(_ record: TextRecord) throws(VDSQError) {
    do throws(VDSQError) {
      if let continuation = record.second {
        try session.add(continuation, after: record.first)
      } else {
        try session.add(record.text)
      }
    } catch {
      guard record.second != nil, error.category == .badInput else { throw error }
      // The pair has no score; the texts before it have.
      records.counts.texts -= 1
      try flush()
      return try records.fail(record.line, error, record.fields)
    }
    pending.append(
      pendingText(
        record.second ?? record.text, isPair: record.second != nil, isCut: record.isCut))
    records.tags.add(record)
  }

  private func pendingText(
    _ text: UnsafeRawBufferPointer, isPair: Bool, isCut: Bool
  ) -> Pending {
    Pending(
      words: ScoreTotals.words(in: text), bytes: text.count, isPair: isPair, isCut: isCut)
  }

  private func flush() throws(VDSQError) {
    guard session.count > 0 else { return }
    try session.scores { (index, score) throws(VDSQError) in
      let text = pending[index]
      totals.add(score, words: text.words, bytes: text.bytes)
      records.counts.tokens += score.count
      if score.isContextCut || text.isCut { records.counts.truncated += 1 }
      guard !options.onlyTotals else { return }
      if options.isJSON { writeJSON(index, text, score) } else { writePlain(index, text, score) }
      try records.output.flushIfLong()
    }
    pending.removeAll(keepingCapacity: true)
    records.tags.removeAll()
    try records.output.flush()
  }

  /// `logprob<TAB>tokens`, and of a pair whether greedy decoding gives the continuation.
  private func writePlain(_ index: Int, _ text: Pending, _ score: TextScore) {
    let output = records.output
    output.write(score.logProbability, decimals: 6)
    output.write("\t")
    output.write(score.count)
    if text.isPair { output.write(score.isGreedy ? "\tgreedy" : "\t-") }
    records.tags.writeColumns(of: index, to: output)
    output.write("\n")
  }

  private func writeJSON(_ index: Int, _ text: Pending, _ score: TextScore) {
    let json = records.json
    json.object {
      records.tags.writeMembers(of: index, to: json)
      json.member("logprob", score.logProbability, decimals: 6)
      json.member("tokens", score.count)
      if text.isPair {
        json.member("greedy", score.isGreedy)
      } else {
        json.member("words", text.words)
        json.member("bytes", text.bytes)
      }
      json.member("truncated", score.isContextCut || text.isCut)
      guard options.keepsTokens else { return }
      json.key("token_logprobs")
      json.array {
        for token in score.tokens {
          json.object {
            json.member("id", token.id)
            json.key("token")
            json.separateValue()
            session.text(of: token.id).withUnsafeBytes { json.output.writeQuoted(text: $0) }
            json.member("logprob", token.logProbability, decimals: 6)
          }
        }
      }
    }
    records.output.write("\n")
  }
}
