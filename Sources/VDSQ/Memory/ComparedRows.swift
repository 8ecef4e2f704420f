import VDSQFormat
package import VDSQInference
import VDSQSemantics

extension TextEncoder.Options {
  /// The resident bytes of the vocabulary's rows with which states are compared.
  ///
  /// - Parameters:
  ///   - policy: whether rows stay resident, or are released behind each pass over them.
  ///   - callers: the number of callers that compare at a time.
  package func comparedBytes(
    of file: Container, _ policy: MemoryPolicy, callers: Int = 1
  ) -> Int {
    let sections = comparedSections(of: file)
    let stored = sections.reduce(0) { $0 + file.sections[$1].rawLength }
    guard policy != .resident else { return stored }
    var (rows, longest) = (0, 0)
    for record in file.tensors where sections.contains(record.section) {
      guard record.order == .rowMajor, record.shape.count == 2 else { continue }
      rows += record.dataLength
      longest = max(longest, record.rowBytes)
    }
    let window = VocabularyLogits.residentBytes(rowBytes: longest)
    return stored - rows + min(rows, callers * threads * window)
  }

  /// Sections that were decoded are no part of this: they are counted with the program's tables.
  private func comparedSections(of file: Container) -> Set<Int> {
    var found: Set<Int> = []
    // Words of several tokens have probabilities over the vocabulary.
    switch comparedRows == .none && continuations.nodes > 0 ? .head : comparedRows {
    case .none: return found
    case .all:
      for (index, section) in file.sections.enumerated()
      where section.kind == .weights && !section.isLayer { found.insert(index) }
    case .head:
      let head = file.find("head.weight") ?? file.find("embeddings.word")
      if let head { found.insert(head.record.section) }
    }
    return found.filter { file.sections[$0].encoding == .raw }
  }
}
