package import VDSQFormat
package import VDSQInference
import VDSQMeasurement
import VDSQSemantics
package import VDSQStreams

/// Searches the vocabulary approximately, writes the tokens found for each state, and measures the
/// recall on a sample.
package final class ApproximateLogits {
  private let search: VocabularySearch
  private let writer: SearchResultWriter
  private var recall = SearchRecall()

  /// - Throws: `badInput` if the file has no coarse rows.
  package init(
    _ file: Container, _ encoder: TextEncoder, top: Int, json: Bool, to output: OutputBuffer
  ) throws(VDSQError) {
    search = try VocabularySearch(
      file, shape: [encoder.vocabularySize, encoder.dimensions], approximate: true,
      kernels: encoder.kernels, threads: encoder.threads, capacity: top)
    writer = SearchResultWriter(json: json, to: output) { encoder.token($0) }
  }

  /// Writes the line of a state.
  package func write(_ state: UnsafePointer<Float>, _ tags: AnswerTags) {
    var found: [VocabularySearch.Result] = []
    search.search(state, approximate: true) { found.append($0) }
    recall.add(found, state, search)
    writer.write(found, tags)
  }

  /// The measured recall as a line for a person; nil before the first state.
  package var report: String? {
    guard recall.checked > 0 else { return nil }
    return "recall@\(search.capacity) \(fixed(recall.share, 4)), measured on \(recall.checked) of "
      + counted(recall.states, "text")
  }
}
