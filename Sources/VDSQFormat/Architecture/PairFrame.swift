/// The special tokens around two texts that a model reads as one sequence, as the pair template of
/// its tokenizer has them: `[CLS] first [SEP] second [SEP]` in BERT.
package struct PairFrame: Equatable, Sendable {
  package var before: [Int32] = []
  package var between: [Int32] = []
  package var after: [Int32] = []
  /// The token type of the second text and of what follows it. All before it has type 0.
  package var secondType = 0

  /// Nothing around the texts.
  package init() {}

  /// The number of special tokens.
  package var count: Int { before.count + between.count + after.count }

  /// The frame of a model; nil if its file has none.
  ///
  /// - Parameter architecture: the sizes of its tables.
  /// - Throws: `badInput` if an id or the type has no row.
  package init?(_ metadata: Metadata, _ architecture: Architecture) throws(VDSQError) {
    guard metadata.find("pair_before") != nil else { return nil }
    before = try Self.ids("pair_before", metadata, architecture)
    between = try Self.ids("pair_between", metadata, architecture)
    after = try Self.ids("pair_after", metadata, architecture)
    secondType = try metadata.integer(
      "pair_second_type", in: 0...min(1, max(0, architecture.tokenTypes - 1)))
  }

  private static func ids(
    _ key: StaticString, _ metadata: Metadata, _ architecture: Architecture
  ) throws(VDSQError) -> [Int32] {
    var ids: [Int32] = []
    for part in try metadata.text(key).utf8.split(separator: UInt8(ascii: " ")) {
      var id = 0
      for digit in part {
        guard digit >= 0x30, digit <= 0x39, id < architecture.vocabularySize else {
          throw .badInput("\(metadata.path): metadata: \(key) has no list of token ids")
        }
        id = id * 10 + Int(digit - 0x30)
      }
      guard id < architecture.vocabularySize, ids.count < 64 else {
        throw .badInput("\(metadata.path): metadata: \(key) has a token id without a row")
      }
      ids.append(Int32(id))
    }
    return ids
  }

  /// Adds the frame to metadata.
  package func store(in metadata: inout Metadata) {
    func text(_ ids: [Int32]) -> Metadata.Value {
      var text = ""
      for id in ids { text += (text.utf8.isEmpty ? "" : " ") + "\(id)" }
      return .text(text)
    }
    metadata.set("pair_before", text(before))
    metadata.set("pair_between", text(between))
    metadata.set("pair_after", text(after))
    metadata.set("pair_second_type", .integer(secondType))
  }
}
