public import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTokenizers

/// Finds entities in texts with the head that a model was trained with
/// (`...ForTokenClassification`).
///
///     let tagger = try TextTagger(model: try Model(path: "ner.vdsq"))
///     for entity in try tagger.tag("Angela was in Paris.") {
///       print(entity.label, entity.characters)  // PER 0..<6
///     }
///
/// A tagger can be used from several threads. `RunOptions.concurrency` is the number of threads
/// that are served at a time. All share the model's map.
public final class TextTagger: @unchecked Sendable {
  private let pool: EncoderPool
  private let head: ModelHead
  private let trimsSpaces: Bool
  /// The maximum number of tokens of a text; longer texts are truncated.
  public let maximumTokens: Int

  /// - Throws: `usage` if the model's head does not read tokens, or for options out of range;
  ///   `badInput` for a model that cannot be run; `budgetTooSmall` if the memory budget does not
  ///   suffice.
  public init(model: Model, options: RunOptions = RunOptions()) throws(VDSQError) {
    let metadata = model.description.metadata
    guard let description = try OutputHead(metadata), description.reading == .tokens else {
      throw .usage("\(model.path): the model has no head that labels tokens")
    }
    trimsSpaces = try metadata.find(integer: "trim_offsets", in: 0...1) ?? 1 == 1
    let architecture = try Architecture(metadata)
    // The states and scores of one text.
    let longest = min(options.maximumTokens ?? .max, architecture.maximumTokens)
    pool = try EncoderPool(
      model, options, adapter: nil,
      more: ModelHead.bytes(model.description) + longest
        * (architecture.hiddenSize + 2 * description.labels.count) * 4)
    let encoder = try pool.take()
    maximumTokens = encoder.maximumTokens
    guard let head = try ModelHead(encoder.container, kernels: encoder.kernels) else {
      throw .usage("\(model.path): the model has no head that labels tokens")
    }
    self.head = head
    pool.give(encoder)
    pool.settle()
  }

  /// The labels of the head.
  public var labels: [String] { head.description.labels }

  /// The entities of a text, in its order, without those labelled `O`.
  ///
  /// - Throws: `badInput` if the model's weights cannot be read.
  public func tag(
    _ text: String, by aggregation: EntityAggregation = .simple
  ) throws(VDSQError) -> [Entity] {
    let bytes = Array(text.utf8)
    return try bytes.withBytes { (text) throws(VDSQError) in
      try tag(text, by: aggregation).entities
    }
  }

  /// The entities of a text in UTF-8, its number of tokens, and whether it was cut.
  package func tag(
    _ text: UnsafeRawBufferPointer, by aggregation: EntityAggregation
  ) throws(VDSQError) -> (entities: [Entity], tokens: Int, isCut: Bool) {
    let encoder = try pool.take()
    defer { pool.give(encoder) }
    guard !BlankText.isBlank(text) else { return ([], 0, false) }
    let (ids, states, isCut) = try encoder.tokenStates(of: text)
    let frame = encoder.tokenizer.frameLengths
    let first = min(ids.count, frame.before)
    let own = first..<max(first, ids.count - frame.after)
    let ranges = TokenOffsets(of: text, encoder.tokenizer, trimsSpaces: trimsSpaces)
      .ranges(of: ids[own])
    var tokens: [ScoredToken] = []
    var scratch = [Float](repeating: 0, count: head.scratchCount)
    var scores = [Float](repeating: 0, count: labels.count)
    for (place, index) in own.enumerated() {
      states.withUnsafeBufferPointer { states in
        scratch.withUnsafeMutableBufferPointer { scratch in
          scores.withUnsafeMutableBufferPointer {
            head.logits(
              states.baseAddress! + index * encoder.hiddenSize, scratch: scratch.baseAddress!,
              into: $0.baseAddress!)
          }
        }
      }
      head.description.function.apply(to: &scores)
      tokens.append(
        ScoredToken(
          scores: scores, bytes: ranges[place], index: index,
          isSubword: isSubword(ids[index], ranges[place], text, encoder)))
    }
    let labelled = aggregation.entities(of: tokens, labels: labels)
    return (CharacterOffsets.counted(labelled, in: text), ids.count, isCut)
  }

  /// Whether a token continues a word, as transformers' pipeline decides it.
  private func isSubword(
    _ id: Int32, _ range: Range<Int>, _ text: UnsafeRawBufferPointer, _ encoder: TextEncoder
  ) -> Bool {
    let tokenizer = encoder.tokenizer
    if tokenizer.isUnknown(id) { return false }
    guard tokenizer.knowsWords else {
      guard range.lowerBound > 0, range.lowerBound < text.count else { return false }
      return text[range.lowerBound - 1] != 0x20 && text[range.lowerBound] != 0x20
    }
    // A token that continues a word has a prefix, and so more scalars than its part of the text.
    var surface: [UInt8] = []
    tokenizer.appendText(of: id, to: &surface)
    return surface.withUnsafeBytes { CharacterOffsets.count($0[...]) }
      != CharacterOffsets.count(text[range])
  }
}
