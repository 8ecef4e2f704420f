package import VDSQ
package import VDSQFormat
package import VDSQInference
import VDSQStreams
package import VDSQTraining

/// Learns the examples of a stream one after another, and tells what each was taken for before.
package struct LearningStream {
  private let records: RecordStream
  private let learner: OnlineLearner
  private let encoder: TextEncoder
  private let label: String?
  private let isJSON: Bool
  private let isQuiet: Bool
  private let message: (VDSQError) -> String

  /// - Parameters:
  ///   - label: the label of all examples; nil if it is the record's second field.
  ///   - isQuiet: whether nothing is written of examples that were learned.
  ///   - message: the text of an error, as the program's user knows it.
  package init(
    _ records: RecordStream, learner: OnlineLearner, encoder: TextEncoder, label: String?,
    isJSON: Bool, isQuiet: Bool, message: @escaping (VDSQError) -> String
  ) {
    (self.records, self.learner, self.encoder) = (records, learner, encoder)
    (self.label, self.isJSON, self.isQuiet) = (label, isJSON, isQuiet)
    self.message = message
  }

  /// Learns the examples of a file. One with an unknown label fails alone.
  ///
  /// - Throws: the errors of the model, and of saving the adapter; `badInput` if all examples fail,
  ///   or the first one that does if the stream is strict.
  package func learn(_ examples: [Examples.Example]) throws(VDSQError) {
    for example in examples where !StreamSignals.isStopped {
      records.counts.texts += 1
      records.counts.lastLine = example.origin?.line ?? 0
      do throws(VDSQError) {
        let outcome = try learner.learn(example, context: "")
        if !Array(example.text.utf8).withUnsafeBytes({ encoder.fits($0) }) {
          records.counts.truncated += 1
        }
        try write(outcome)
      } catch {
        guard error.category == .badInput, error.setting == .labels else { throw error }
        records.counts.texts -= 1
        try records.fail(records.counts.lastLine, .badInput(message(error)))
      }
    }
    try records.end(maximumTokens: encoder.maximumTokens)
  }

  /// Learns all examples. One that cannot be read, or has an unknown label, fails alone.
  ///
  /// - Throws: the errors of the stream, of the model, and of saving the adapter.
  package func run() throws(VDSQError) {
    try records.forEach(
      { (record) throws(VDSQError) in
        if try learner.isBlank(record.text) { return records.skip(record) }
        let name: String
        do throws(VDSQError) {
          name = if let label { label } else { try record.fields!.name(1) }
        } catch { return try fail(record, error) }
        do throws(VDSQError) {
          let text = String(decoding: record.text, as: UTF8.self)
          let outcome = try learner.learn(Examples.Example(text: text, label: name), context: "")
          if record.isCut || !encoder.fits(record.text) { records.counts.truncated += 1 }
          try write(outcome)
        } catch {
          guard error.category == .badInput, error.setting == .labels else { throw error }
          try fail(record, error)
        }
      }, pause: { () throws(VDSQError) in })
    try records.end(maximumTokens: encoder.maximumTokens)
  }

  private func fail(_ record: TextRecord, _ error: VDSQError) throws(VDSQError) {
    records.counts.texts -= 1
    try records.fail(record.line, .badInput(message(error)), record.fields)
  }

  private func write(_ outcome: OnlineLearner.Outcome) throws(VDSQError) {
    if isQuiet { return }
    let output = records.output
    if isJSON {
      let json = records.json
      json.object {
        json.member("examples", outcome.count)
        json.member("label", outcome.label)
        json.member("taken_for", outcome.predicted)
        json.member("probability", outcome.probability)
      }
    } else {
      output.write("\(outcome.count)\t\(outcome.label)\t\(outcome.predicted)\t")
      output.write(fixed(Double(outcome.probability), 4))
    }
    output.write("\n")
    try output.flush()
  }
}
