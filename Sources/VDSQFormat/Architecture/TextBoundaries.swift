/// The tokens with which the texts of a language model begin and end.
package struct TextBoundaries: Sendable, Equatable {
  /// The token from which the first token of a text is predicted: the tokenizer's token of the
  /// beginning, or that of the end if it has no other. Nil if it has neither.
  package var beginning: Int32?
  /// The tokens behind which a text is complete.
  package var ends: [Int32] = []

  /// No tokens.
  package init() {}

  /// The largest number of tokens that end a text.
  package static let mostEnds = 256

  /// The boundaries of a model.
  ///
  /// - Parameter vocabularySize: the number of rows of its embedding table.
  /// - Throws: `badInput` if an id has no row.
  package init(_ metadata: Metadata, vocabularySize: Int) throws(VDSQError) {
    beginning = try metadata.find(integer: "beginning_token", in: 0...vocabularySize - 1)
      .map { Int32($0) }
    guard metadata.find("end_tokens") != nil else { return }
    ends = try metadata.tokenIDs(
      "end_tokens", vocabularySize: vocabularySize, atMost: Self.mostEnds)
  }

  /// Adds the boundaries to metadata.
  package func store(in metadata: inout Metadata) {
    if let beginning { metadata.set("beginning_token", .integer(Int(beginning))) }
    if !ends.isEmpty { metadata.set("end_tokens", ids: ends) }
  }
}
