package import VDSQFormat
import VDSQSemantics
import VDSQStreams

/// Classifies the records of a stream and writes one line per text, in constant memory.
///
/// Texts wait until a batch is full or the input pauses, so that a slow writer gets its answers at
/// once.
package final class ClassificationStream {
  /// The options of the output.
  package struct Options {
    /// How many labels to write for each text, from 1 up.
    ///
    /// An adapter that gives any number of labels is not limited by 1.
    package var top = 1
    /// The smallest probability of a label that is written; 0 writes all labels.
    package var abstain: Float = 0
    /// The text in place of a withheld label. Nil means the name of the out-of-scope label, or `-`.
    package var outOfScope: String?
    /// Sees the states of texts; nil for nobody.
    package var observer: StateObserver?

    /// One label per text.
    package init() {}
  }

  /// The names of the members of an answer's JSON.
  package static let members: [StaticString] = [
    "label", "labels", "abstained", "probability", "value", "top", "tokens", "truncated",
  ]

  private let records: RecordStream
  private let context: ClassificationContext
  private let options: Options
  private let isJSON: Bool

  /// - Parameters:
  ///   - classifier: the classifier. The stream counts as one of its callers as long as it lives.
  ///   - isJSON: whether answers are JSON objects, as the records' options say.
  /// - Throws: `badInput` if the model cannot be opened once more.
  package convenience init(
    _ records: RecordStream, classifier: TextClassifier, options: Options, isJSON: Bool
  ) throws(VDSQError) {
    self.init(records, try classifier.makeContext(), options: options, isJSON: isJSON)
  }

  init(
    _ records: RecordStream, _ context: ClassificationContext, options: Options, isJSON: Bool
  ) {
    self.records = records
    self.context = context
    self.options = options
    self.isJSON = isJSON
  }

  /// Refuses to withhold what is no probability.
  private func checkAbstention() throws(VDSQError) {
    guard options.abstain == 0 || !context.answersWithValues else {
      throw .usage(
        "the model's head answers with values, which no probability withholds", .abstention)
    }
  }

  deinit { context.end() }

  /// Answers all records.
  ///
  /// - Throws: what `RecordStream.forEach`, `add` and `flush` throw.
  package func run() throws(VDSQError) {
    try checkAbstention()
    try records.forEach(
      { (record) throws(VDSQError) in try add(record) },
      pause: { () throws(VDSQError) in try flush() })
  }

  /// Adds a text.
  ///
  /// - Throws: as `flush`.
  package func add(_ record: TextRecord) throws(VDSQError) {
    if !context.hasRoom || records.tags.isLong || context.count == options.observer?.room() {
      try flush()
    }
    let count =
      if let second = record.second {
        try context.add(record.first, second, isCut: record.isCut)
      } else {
        try context.add(record.text, isCut: record.isCut)
      }
    records.tags.add(record)
    records.counts.tokens += count.tokens
    if count.isTruncated { records.counts.truncated += 1 }
  }

  /// Classifies the waiting texts and writes the answers.
  ///
  /// - Throws: `badInput` if the model's weights cannot be read; `internalFault` if the output
  ///   cannot be written.
  package func flush() throws(VDSQError) {
    guard context.count > 0 else { return }
    var index = 0
    if let thresholds = context.thresholds {
      try flush(thresholds)
      records.tags.removeAll()
      return try records.output.flush()
    }
    try context.classify(top: options.top, observer: options.observer) {
      (count, labels, scores) throws(VDSQError) in
      let abstains = count.isBlank || scores.probabilities[scores.best] < options.abstain
      if abstains { records.counts.abstained += 1 }
      let first = abstains ? outOfScope(labels) : labels.names[scores.best]
      if isJSON {
        writeJSON(index, first, abstains, count, labels, scores)
      } else {
        writePlain(index, first, labels, scores)
      }
      index += 1
      try records.output.flushIfLong()
    }
    records.tags.removeAll()
    try records.output.flush()
  }

  /// Writes the labels of each text whose probabilities reach their thresholds, the most probable
  /// first; without any, the text in place of a withheld label, with the highest probability.
  private func flush(_ thresholds: [Float]) throws(VDSQError) {
    var index = 0
    try context.classify(top: thresholds.count) { (count, labels, scores) throws(VDSQError) in
      var given = 0
      if !count.isBlank {
        // In the order of the ranking, in which a label above its threshold may follow one below.
        for label in scores.ranking where isGiven(label, scores, thresholds) { given += 1 }
      }
      if given == 0 { records.counts.abstained += 1 }
      if isJSON {
        writeJSON(index, given, count, labels, scores, thresholds)
      } else {
        writePlain(index, given, labels, scores, thresholds)
      }
      index += 1
      try records.output.flushIfLong()
    }
  }

  private func isGiven(_ label: Int, _ scores: LabelScores, _ thresholds: [Float]) -> Bool {
    let probability = scores.probabilities[label]
    return probability >= thresholds[label] && probability >= options.abstain
  }

  /// `label<TAB>probability` for each given label; at most `top` if that is above 1.
  private func writePlain(
    _ index: Int, _ given: Int, _ labels: LabelSet, _ scores: LabelScores, _ thresholds: [Float]
  ) {
    let output = records.output
    if given == 0 {
      output.write(outOfScope(labels))
      output.write("\t")
      output.write(scores.probabilities[scores.best], decimals: 4)
    }
    var written = 0
    for label in scores.ranking where given > 0 && isGiven(label, scores, thresholds) {
      if options.top > 1, written == options.top { break }
      if written > 0 { output.write("\t") }
      output.write(labels.names[label])
      output.write("\t")
      output.write(scores.probabilities[label], decimals: 4)
      written += 1
    }
    records.tags.writeColumns(of: index, to: output)
    output.write("\n")
  }

  private func writeJSON(
    _ index: Int, _ given: Int, _ count: TokenCount, _ labels: LabelSet, _ scores: LabelScores,
    _ thresholds: [Float]
  ) {
    let json = records.json
    json.object {
      records.tags.writeMembers(of: index, to: json)
      json.key("labels")
      json.array {
        for label in scores.ranking where given > 0 && isGiven(label, scores, thresholds) {
          json.write(labels.names[label])
        }
      }
      json.key("top")
      json.array {
        var place = 0
        for label in scores.ranking {
          place += 1
          guard place <= options.top || (given > 0 && isGiven(label, scores, thresholds)) else {
            continue
          }
          json.object {
            json.member("label", labels.names[label])
            json.member("probability", scores.probabilities[label], decimals: 6)
            json.member("threshold", thresholds[label], decimals: 6)
          }
        }
      }
      json.member("tokens", count.tokens)
      json.member("truncated", count.isTruncated)
    }
    records.output.write("\n")
  }

  /// The text in place of a withheld label.
  private func outOfScope(_ labels: LabelSet) -> String {
    options.outOfScope ?? labels.outOfScopeName ?? "-"
  }

  /// `label<TAB>probability`, for each of the top labels, and what identifies the record. A
  /// withheld label is replaced by the out-of-scope name, with the probability of the withheld
  /// label.
  private func writePlain(
    _ index: Int, _ first: String, _ labels: LabelSet, _ scores: LabelScores
  ) {
    let output = records.output
    for place in 0..<min(options.top, labels.count) {
      let label = scores.ranking[place]
      if place > 0 { output.write("\t") }
      output.write(place == 0 ? first : labels.names[label])
      output.write("\t")
      output.write(scores.probabilities[label], decimals: 4)
    }
    records.tags.writeColumns(of: index, to: output)
    output.write("\n")
  }

  private func writeJSON(
    _ index: Int, _ first: String, _ abstains: Bool, _ count: TokenCount, _ labels: LabelSet,
    _ scores: LabelScores
  ) {
    let json = records.json
    let value = context.answersWithValues ? "value" : "probability"
    json.object {
      records.tags.writeMembers(of: index, to: json)
      json.member("label", first)
      if options.abstain > 0 || count.isBlank { json.member("abstained", abstains) }
      json.member(value, scores.probabilities[scores.best], decimals: 6)
      json.key("top")
      json.array {
        for place in 0..<min(options.top, labels.count) {
          let label = scores.ranking[place]
          json.object {
            json.member("label", labels.names[label])
            json.member(
              context.hasLogits ? "logit" : "cosine", scores.cosines[label], decimals: 6)
            json.member(value, scores.probabilities[label], decimals: 6)
          }
        }
      }
      json.member("tokens", count.tokens)
      json.member("truncated", count.isTruncated)
    }
    records.output.write("\n")
  }
}
