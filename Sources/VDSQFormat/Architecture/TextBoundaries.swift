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
    guard let text = metadata.find("end_tokens") else { return }
    for part in text.utf8.split(separator: UInt8(ascii: " ")) {
      guard let id = Int(String(decoding: Array(part), as: UTF8.self)), id >= 0,
        id < vocabularySize, ends.count < Self.mostEnds
      else {
        throw .badInput("\(metadata.path): metadata: end_tokens is no list of token ids")
      }
      ends.append(Int32(id))
    }
  }

  /// Adds the boundaries to metadata.
  package func store(in metadata: inout Metadata) {
    if let beginning { metadata.set("beginning_token", .integer(Int(beginning))) }
    guard !ends.isEmpty else { return }
    var text = ""
    for id in ends { text += (text.utf8.isEmpty ? "" : " ") + "\(id)" }
    metadata.set("end_tokens", .text(text))
  }
}
