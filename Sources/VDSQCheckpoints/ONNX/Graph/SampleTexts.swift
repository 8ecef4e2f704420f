import VDSQFormat

/// The texts for which shapes, positions and masks of a graph are computed: token ids, masks and
/// types that differ from each other. The last token of the last text is padding.
struct SampleTexts {
  let count: Int
  let tokens: Int
  /// Whether the graph fixes a length.
  let isFixed: Bool

  /// - Parameter model: its inputs may have fixed lengths.
  /// - Throws: `badInput` if they are no matrices of texts and tokens, or larger than samples are.
  init(_ model: ONNXModel) throws(VDSQError) {
    let shape = model.inputs.first { $0.name == "input_ids" }?.shape ?? [nil, nil]
    guard shape.count == 2 || shape.isEmpty else {
      throw .badInput("\(model.file.path): input input_ids has \(shape.count) axes instead of two")
    }
    count = shape.first.flatMap { $0 } ?? 2
    tokens = shape.last.flatMap { $0 } ?? 3
    isFixed = shape.contains { $0 != nil }
    guard (1...16).contains(count), (2...1024).contains(tokens) else {
      throw .badInput(
        "\(model.file.path): input input_ids has the fixed shape [\(count), \(tokens)]; export it "
          + "with axes of any length")
    }
  }

  /// Ids that no tokenizer has for padding.
  var ids: [Double] { (0..<count * tokens).map { Double(1000 + $0) } }

  var types: [Double] { (0..<count * tokens).map { $0 % tokens >= (tokens + 1) / 2 ? 1 : 0 } }

  /// Whether a token is none of padding.
  func isKept(_ text: Int, _ token: Int) -> Bool { text < count - 1 || token < tokens - 1 }

  var mask: [Double] {
    (0..<count * tokens).map { isKept($0 / tokens, $0 % tokens) ? 1 : 0 }
  }

  /// The tokens of a text that are none of padding.
  func kept(_ text: Int) -> Int { text < count - 1 ? tokens : tokens - 1 }

  /// The value of an input by its name; nil if it is not one of an encoder.
  func input(_ name: String) -> KnownTensor? {
    let values: [Double]
    switch name {
    case "input_ids": values = ids
    case "attention_mask": values = mask
    case "token_type_ids": values = types
    case "position_ids": values = (0..<count * tokens).map { Double($0 % tokens) }
    default: return nil
    }
    return KnownTensor(Grid(shape: [count, tokens], elements: values), .integer)
  }
}
