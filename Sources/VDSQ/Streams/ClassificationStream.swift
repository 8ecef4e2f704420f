package import VDSQFormat
import VDSQSemantics
package import VDSQStreams
import VDSQTokenizers

/// Classifies texts as they come in and writes one line per text, in constant memory.
///
/// Texts wait until a batch is full or the caller flushes. Callers flush when the input pauses, so
/// that a slow writer gets its answers at once.
package final class ClassificationStream {
  /// The options of the output.
  package struct Options: Sendable {
    /// How many labels to write for each text, from 1 up.
    package var top = 1
    /// Whether to write a JSON object per line instead of tab-separated text.
    package var json = false
    /// Whether invalid UTF-8 is refused instead of replaced.
    package var strict = false
    /// The smallest probability of a label that is written; 0 writes all labels.
    package var abstain: Float = 0
    /// The text in place of a withheld label. Nil means the name of the out-of-scope label, or `-`.
    package var outOfScope: String?

    /// One label per text, tab-separated.
    package init() {}
  }

  /// The counts of processed texts.
  package struct Counts: Sendable {
    /// The number of classified texts.
    package var texts = 0
    /// The number of their tokens.
    package var tokens = 0
    /// Texts that were truncated to the model's longest sequence.
    package var truncated = 0
    /// Texts in which invalid UTF-8 was replaced.
    package var replaced = 0
    /// Texts whose label was withheld.
    package var abstained = 0
  }

  /// The counts so far.
  package private(set) var counts = Counts()
  private let context: ClassificationContext
  private let options: Options
  private let output: OutputBuffer
  private let json: JSONWriter

  /// - Parameters:
  ///   - classifier: the classifier. The stream counts as one of its callers as long as it lives.
  ///   - output: the destination of the answers.
  /// - Throws: `badInput` if the model cannot be opened once more.
  package convenience init(
    classifier: TextClassifier, options: Options, output: OutputBuffer
  ) throws(VDSQError) {
    self.init(try classifier.makeContext(), options: options, output: output)
  }

  init(_ context: ClassificationContext, options: Options, output: OutputBuffer) {
    self.context = context
    self.options = options
    self.output = output
    json = JSONWriter(output)
  }

  deinit { context.end() }

  /// Adds a text.
  ///
  /// - Parameters:
  ///   - text: UTF-8.
  ///   - source: the line number of the text, for error messages.
  ///   - cut: whether the reader dropped the end of the text.
  /// - Throws: `badInput` for invalid UTF-8 if the options are strict.
  package func add(
    _ text: UnsafeRawBufferPointer, source: Int, cut: Bool = false
  ) throws(VDSQError) {
    if UTF8Decoder.replacements(in: text) > 0 {
      if options.strict { throw .badInput("line \(source): the text is not valid UTF-8") }
      counts.replaced += 1
    }
    if !context.hasRoom { try flush() }
    let count = context.add(text, isCut: cut)
    counts.texts += 1
    counts.tokens += count.tokens
    if count.isTruncated { counts.truncated += 1 }
  }

  /// Classifies the waiting texts and writes the answers.
  ///
  /// - Throws: `badInput` if the model's weights or the adapter's file cannot be read;
  ///   `internalFault` if the output cannot be written.
  package func flush() throws(VDSQError) {
    guard context.count > 0 else { return }
    try context.classify(top: options.top) { count, labels, scores in
      let abstains = scores.probabilities[scores.best] < options.abstain
      if abstains { counts.abstained += 1 }
      let first = abstains ? outOfScope(labels) : labels.names[scores.best]
      if options.json {
        writeJSON(first, abstains, count, labels, scores)
      } else {
        writePlain(first, labels, scores)
      }
    }
    try output.flush()
  }

  /// The text in place of a withheld label.
  private func outOfScope(_ labels: LabelSet) -> String {
    options.outOfScope ?? labels.outOfScopeName ?? "-"
  }

  /// `label<TAB>probability`, for each of the top labels. A withheld label is replaced by the
  /// out-of-scope name, with the probability of the withheld label.
  private func writePlain(_ first: String, _ labels: LabelSet, _ scores: LabelScores) {
    for place in 0..<min(options.top, labels.count) {
      let label = scores.ranking[place]
      if place > 0 { output.write("\t") }
      output.write(place == 0 ? first : labels.names[label])
      output.write("\t")
      output.write(scores.probabilities[label], decimals: 4)
    }
    output.write("\n")
  }

  private func writeJSON(
    _ first: String, _ abstains: Bool, _ count: TokenCount, _ labels: LabelSet,
    _ scores: LabelScores
  ) {
    json.object {
      json.member("label", first)
      if options.abstain > 0 { json.member("abstained", abstains) }
      json.member("probability", scores.probabilities[scores.best], decimals: 6)
      json.key("top")
      json.array {
        for place in 0..<min(options.top, labels.count) {
          let label = scores.ranking[place]
          json.object {
            json.member("label", labels.names[label])
            json.member("cosine", scores.cosines[label], decimals: 6)
            json.member("probability", scores.probabilities[label], decimals: 6)
          }
        }
      }
      json.member("tokens", count.tokens)
      json.member("truncated", count.isTruncated)
    }
    output.write("\n")
  }
}
