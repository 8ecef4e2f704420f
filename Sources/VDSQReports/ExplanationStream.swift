package import VDSQ
package import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQStreams
import VDSQTraining

/// Explains the labels of a stream of texts.
package struct ExplanationStream {
  private let texts: TextClassifier
  private let records: RecordStream
  private let isJSON: Bool
  private let outOfScope: String?

  /// - Parameter outOfScope: the label of texts that have nothing to read; nil for `-`.
  package init(_ texts: TextClassifier, _ records: RecordStream, isJSON: Bool, outOfScope: String?)
  {
    self.texts = texts
    self.records = records
    self.isJSON = isJSON
    self.outOfScope = outOfScope
  }

  /// Explains all texts.
  ///
  /// - Parameters:
  ///   - cache: a folder that keeps the states of the vocabulary; nil for none.
  ///   - quiet: whether no progress is shown.
  /// - Throws: the errors of the stream and of the model; `badInput` if it has no bases.
  package func run(cache: String?, quiet: Bool) throws(VDSQError) {
    try texts.withEncoder { (encoder, classifier) throws(VDSQError) in
      // The vocabulary is not steered, as label words are not.
      let bases = try encoder.unsteered { () throws(VDSQError) in
        let bar = ProgressBar("reading the vocabulary", quiet: quiet)
        defer { bar.end() }
        return try ExplanationBases(
          encoder: encoder, cache: try StateCache(folder: cache, encoder: encoder)
        ) { bar.show(Int($0 * 1000), of: 1000) }
      }
      let explainer = try Explainer(
        bases: bases, encoder: encoder, adapter: texts.adapter, classifier: classifier)
      var template = try TextTemplate(classifier.labels.template, encoder: encoder)
      let states = try TextStates(classifier.labels, encoder: encoder)
      let output = records.output
      try records.forEach(
        { (record) throws(VDSQError) in
          let text = String(decoding: record.text, as: UTF8.self)
          let added = template.add(record.text, to: encoder)
          if added.isCut || record.isCut { records.counts.truncated += 1 }
          try states.encode { _, state, words in
            if added.isBlank { return writeBlank(text) }
            let report = ExplanationReport(explainer.explain(state, words: words), of: text)
            output.write(isJSON ? report.json : report.text)
            output.write("\n")
          }
        }, pause: { () throws(VDSQError) in try output.flush() })
      try records.end(maximumTokens: encoder.maximumTokens)
    }
  }

  /// A text that has nothing to read has no label, and so no explanation.
  private func writeBlank(_ text: String) {
    let name = outOfScope ?? "-"
    if isJSON {
      records.json.object {
        records.json.member("text", text)
        records.json.member("label", name)
        records.json.member("abstained", true)
      }
    } else {
      records.output.write(name)
    }
    records.output.write("\n")
  }
}
