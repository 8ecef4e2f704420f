package import VDSQFormat
package import VDSQInference
import VDSQSemantics

/// Compares the states of a model with those of the same model in float32, over sample texts.
package struct Fidelity: Sendable {
  /// The agreement of both models on one text.
  package struct Text: Sendable {
    /// The text that both models encoded.
    package let text: String
    /// The cosine of the two states.
    package let cosine: Double
    /// Whether both heads have the same likeliest token; nil without an LM head.
    package let sameToken: Bool?
    /// The share of the reference head's ten likeliest tokens that are among the model's ten.
    package let overlap: Double?
  }

  /// The results, in the order of the sample texts.
  package let texts: [Text]
  /// Whether both tokenize all texts alike.
  package let sameTokens: Bool
  /// How closely the head's probabilities agree; nil without an LM head, or if the models tokenize
  /// the texts differently.
  package let tokens: TokenFidelity?
  /// The number of texts that the model truncated.
  package let truncated: Int
  /// The number of tokens to which it truncated them.
  package let maximumTokens: Int

  /// The mean cosine of the two states over all texts; 0 if there are none.
  package var mean: Double { texts.reduce(0) { $0 + $1.cosine } / Double(max(1, texts.count)) }
  /// The text with the lowest cosine; nil if there are no texts.
  package var least: Text? { texts.min { $0.cosine < $1.cosine } }
  /// The share of texts with the same likeliest token, 0 to 1; nil without an LM head.
  package var sameTokenShare: Double? { average { $0.sameToken.map { $0 ? 1 : 0 } } }
  /// The mean overlap of the ten likeliest tokens, 0 to 1; nil without an LM head.
  package var overlap: Double? { average { $0.overlap } }

  private func average(_ value: (Text) -> Double?) -> Double? {
    let values = texts.compactMap(value)
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  private static let top = 10

  /// - Throws: `badInput` if the two models have different shapes, or a state is not finite.
  package init(
    model: TextEncoder, reference: TextEncoder, texts: [String], progress: (Int) -> Void
  ) throws(VDSQError) {
    guard model.dimensions == reference.dimensions, model.kind == reference.kind,
      model.vocabularySize == reference.vocabularySize
    else {
      throw .badInput(
        "\(model.container.path) is another model than \(reference.container.path)")
    }
    let hasHead = model.kind != .sentences
    let heads = hasHead ? try [model, reference].map(Self.head) : []
    var comparison = hasHead ? try TokenComparison(model, reference) : nil
    var results: [Text] = []
    var sameTokens = true
    var truncated = 0
    for (i, text) in texts.enumerated() {
      var own = text
      own.withUTF8 { bytes in
        let raw = UnsafeRawBufferPointer(bytes)
        sameTokens = sameTokens && model.tokens(of: raw) == reference.tokens(of: raw)
        if !model.fits(raw) { truncated += 1 }
      }
      let a = try model.vector(of: text), b = try reference.vector(of: text)
      if model.kind == .masked {
        comparison?.add([a, b], at: 0, next: nil)
      } else if sameTokens, comparison != nil {
        try Array(text.utf8).withBytes { (raw) throws(VDSQError) in try comparison!.add(raw) }
      }
      let tokens = zip(heads, [a, b]).map { Self.tokens($0, $1) }
      results.append(
        Text(
          text: text, cosine: Self.cosine(a, b),
          sameToken: hasHead ? tokens[0].first == tokens[1].first : nil,
          overlap: hasHead
            ? Double(tokens[1].count { tokens[0].contains($0) }) / Double(tokens[1].count) : nil))
      progress(i + 1)
    }
    self.texts = results
    self.sameTokens = sameTokens
    tokens = sameTokens ? comparison?.result : nil
    self.truncated = truncated
    maximumTokens = model.maximumTokens
  }

  private static func head(_ encoder: TextEncoder) throws(VDSQError) -> VocabularyLogits {
    VocabularyLogits(
      rows: try VocabularyRows(head: encoder.container), kernels: encoder.kernels,
      threads: encoder.threads, capacity: top)
  }

  private static func tokens(_ head: VocabularyLogits, _ state: [Float]) -> [Int32] {
    var ids: [Int32] = []
    head.find(state, temperature: 1) { ids.append($0.id) }
    return ids
  }

  private static func cosine(_ a: [Float], _ b: [Float]) -> Double {
    var dot = 0.0, left = 0.0, right = 0.0
    for (x, y) in zip(a, b) {
      dot += Double(x) * Double(y)
      left += Double(x) * Double(x)
      right += Double(y) * Double(y)
    }
    // Two zero states agree with each other; a zero state agrees with nothing else.
    guard left > 0, right > 0 else { return left == right ? 1 : 0 }
    return min(1, dot / (left * right).squareRoot())
  }
}
