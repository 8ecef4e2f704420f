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
    before = try metadata.tokenIDs(
      "pair_before", vocabularySize: architecture.vocabularySize, atMost: 64)
    between = try metadata.tokenIDs(
      "pair_between", vocabularySize: architecture.vocabularySize, atMost: 64)
    after = try metadata.tokenIDs(
      "pair_after", vocabularySize: architecture.vocabularySize, atMost: 64)
    secondType = try metadata.integer(
      "pair_second_type", in: 0...min(1, max(0, architecture.tokenTypes - 1)))
  }

  /// Adds the frame to metadata.
  package func store(in metadata: inout Metadata) {
    metadata.set("pair_before", ids: before)
    metadata.set("pair_between", ids: between)
    metadata.set("pair_after", ids: after)
    metadata.set("pair_second_type", .integer(secondType))
  }
}

extension Metadata {
  /// A list of token ids, separated by spaces.
  ///
  /// - Parameters:
  ///   - vocabularySize: the number of rows of the embedding table.
  ///   - limit: the maximum number of ids.
  /// - Throws: `badInput` if the key is absent, or an id has no row.
  func tokenIDs(
    _ key: StaticString, vocabularySize: Int, atMost limit: Int
  ) throws(VDSQError) -> [Int32] {
    var ids: [Int32] = []
    for part in try text(key).utf8.split(separator: UInt8(ascii: " ")) {
      var id = 0
      for digit in part {
        guard digit >= 0x30, digit <= 0x39, id < vocabularySize else {
          throw .badInput("\(path): metadata: \(key) has no list of token ids")
        }
        id = id * 10 + Int(digit - 0x30)
      }
      guard id < vocabularySize, ids.count < limit else {
        throw .badInput("\(path): metadata: \(key) has a token id without a row")
      }
      ids.append(Int32(id))
    }
    return ids
  }

  /// Sets a list of token ids.
  mutating func set(_ key: String, ids: [Int32]) {
    var text = ""
    for id in ids { text += (text.utf8.isEmpty ? "" : " ") + "\(id)" }
    set(key, .text(text))
  }
}
