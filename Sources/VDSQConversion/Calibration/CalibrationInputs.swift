import VDSQFormat
import VDSQInference

/// Runs a draft of a model over the calibration text, and keeps what its linear layers read.
struct CalibrationInputs {
  /// What is read besides the sentences, and how much of it is kept.
  enum Purpose {
    /// The sentences alone: where inputs are large.
    case scales
    /// In encoders also random words, so that inputs go in all directions in which texts do.
    case rounding
  }

  /// The bytes of inputs that are in memory at a time under a budget.
  private static let streamingBytes = 6 << 20
  /// The calibration text's sentences are shorter.
  private static let longest = 64

  private let encoder: TextEncoder
  private let texts: [[UInt8]]
  private let tokens: Int
  private let width: Int
  private let layerBytes: Int
  /// The number of layers whose inputs fit.
  let layersTogether: Int

  /// - Parameters:
  ///   - path: the path of the draft.
  ///   - streams: whether memory is small.
  init(
    draft path: String, _ architecture: Architecture, for purpose: Purpose, streams: Bool
  ) throws(VDSQError) {
    let container = try Container(
      path: path, kind: .model, decoding: streams ? .allButLayers : .everything)
    var options = TextEncoder.Options()
    options.policy = streams ? .stream : .resident
    options.maximumTokens = min(Self.longest, architecture.maximumTokens)
    let encoder = try TextEncoder(container, options: options)
    self.encoder = encoder
    var texts = CalibrationText.sentences.map { Array($0.utf8) }
    if purpose == .rounding, encoder.kind != .causal { texts += Self.randomTexts(of: encoder) }
    self.texts = texts
    tokens = texts.reduce(0) { total, text in
      total + text.withUnsafeBytes { min(encoder.tokens(of: $0).count, encoder.maximumTokens) }
    }
    width = 2 * architecture.hiddenSize + architecture.queryWidth + architecture.intermediateSize
    layerBytes = streams || purpose == .scales ? Self.streamingBytes : 32 << 20
    let bytes = streams ? Self.streamingBytes : purpose == .scales ? 48 << 20 : 96 << 20
    layersTogether = InputSample.layers(
      in: bytes, width: width, tokens: tokens, layerBytes: layerBytes)
  }

  /// Texts of words that the tokenizer knows, the same for the same vocabulary.
  private static func randomTexts(of encoder: TextEncoder) -> [[UInt8]] {
    let (texts, words, tries) = (600, 8, 64)
    var state: UInt64 = 1
    func word() -> [UInt8]? {
      for _ in 0..<tries {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var token = encoder.token(Int32((state >> 33) % UInt64(encoder.vocabularySize)))
        if token.first == UInt8(ascii: " ") { token.removeFirst() }
        let isWord = token.allSatisfy { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
        if token.count >= 3, isWord { return token }
      }
      return nil
    }
    return (0..<texts).map { _ in
      Array((0..<words).compactMap { _ in word() }.joined(separator: [UInt8(ascii: " ")]))
    }
  }

  /// Rows of the inputs of some layers, at most `layersTogether`.
  ///
  /// - Throws: `badInput` if the model fails, or produces states that are not finite.
  func sample(_ layers: Range<Int>) throws(VDSQError) -> InputSample {
    let sample = InputSample(
      layers: layers, width: width, tokens: tokens, layerBytes: layerBytes)
    encoder.show(inputsTo: InputObserver { sample.add($0) })
    for text in texts {
      let count = text.withUnsafeBytes { encoder.add($0).tokens }
      try encoder.encode { _, _ in }
      sample.tokensBefore += count
    }
    return sample
  }
}
