import VDSQFormat

extension Container {
  /// The size of the section of the LM head's rows, which predicting tokens reads as a whole.
  var headBytes: Int {
    func section(_ name: StaticString) -> Int? {
      tensors.first { record in
        name.withUTF8Buffer { record.name.utf8.elementsEqual($0) }
      }.map { sections[$0.section].rawLength }
    }
    return section("head.weight") ?? section("embeddings.word") ?? 0
  }
}
