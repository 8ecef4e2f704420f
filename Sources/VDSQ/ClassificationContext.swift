import VDSQFormat
import VDSQInference
package import VDSQSemantics

/// The number of tokens of a text, and whether the text was truncated.
package struct TokenCount: Sendable {
  /// The number of tokens, including those that the model adds.
  package let tokens: Int
  /// Whether the text was truncated to the longest sequence.
  package let isTruncated: Bool
}

/// The working memory of one caller of a `TextClassifier`: a batch of texts, an arena, and buffers
/// for results. Classification does not allocate after the first batches.
package final class ClassificationContext {
  private let encoder: TextEncoder
  /// The shared classifier; nil if the context has its own encoder.
  private let owner: TextClassifier?
  private var classifier: Classifier
  private var revision: Int
  private var scores: LabelScores
  /// A template around texts.
  private let template: Template?
  private var pending: [TokenCount] = []
  private var filled: [UInt8] = []

  init(encoder: TextEncoder, template: Template?, owner: TextClassifier) {
    self.encoder = encoder
    self.owner = owner
    self.template = template.flatMap { $0.aroundTexts ? $0 : nil }
    (classifier, revision) = owner.classifier
    scores = classifier.makeScores()
  }

  /// A context over its own encoder.
  init(encoder: TextEncoder, classifier: Classifier) {
    self.encoder = encoder
    owner = nil
    template = nil
    (self.classifier, revision) = (classifier, 0)
    scores = classifier.makeScores()
  }

  /// Returns the encoder to the pool. The context must not be used afterwards.
  package func end() { owner?.take(back: encoder) }

  /// Whether a text of any length still fits into the batch.
  package var hasRoom: Bool { encoder.hasRoom }

  /// Texts in the batch.
  package var count: Int { pending.count }

  /// Adds a text to the batch, which must have room.
  ///
  /// - Parameters:
  ///   - text: UTF-8. Invalid sequences become U+FFFD.
  ///   - isCut: whether the end of the text is missing already.
  package func add(_ text: UnsafeRawBufferPointer, isCut: Bool = false) -> TokenCount {
    var isTruncated = isCut
    let info: (tokens: Int, truncated: Bool)
    if let template {
      isTruncated = fill(template, text) || isTruncated
      info = filled.withUnsafeBytes { encoder.add($0) }
    } else {
      info = encoder.add(text)
      isTruncated = info.truncated || isTruncated
    }
    let count = TokenCount(tokens: info.tokens, isTruncated: isTruncated)
    pending.append(count)
    return count
  }

  /// Classifies the batch and empties it.
  ///
  /// - Parameters:
  ///   - top: the number of labels to rank.
  ///   - body: called for each text, in order, with its tokens, the labels and its scores.
  package func classify(
    top: Int, _ body: (TokenCount, LabelSet, LabelScores) -> Void
  ) throws(VDSQError) {
    guard !pending.isEmpty else { return }
    if let owner {
      try owner.follow(encoder)
      let (newest, revision) = owner.classifier
      if revision != self.revision {
        (classifier, self.revision) = (newest, revision)
        scores = newest.makeScores()
      }
    }
    try encoder.encode { index, state in
      classifier.classify(state, top: top, into: &scores)
      body(pending[index], classifier.labels, scores)
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// The labels of the next batch, unless the adapter's file changes.
  package var labels: LabelSet { classifier.labels }

  /// Puts the template around a text, which is cut if necessary so that the rest of the template
  /// fits.
  ///
  /// - Returns: whether the text was cut.
  private func fill(_ template: Template, _ text: UnsafeRawBufferPointer) -> Bool {
    template.fill(text, into: &filled)
    if filled.withUnsafeBytes({ encoder.fits($0) }) { return false }
    var fitting = 0
    var tooLong = text.count
    while tooLong - fitting > 1 {
      let middle = (fitting + tooLong) / 2
      template.fill(UnsafeRawBufferPointer(rebasing: text[..<middle]), into: &filled)
      if filled.withUnsafeBytes({ encoder.fits($0) }) { fitting = middle } else { tooLong = middle }
    }
    // Not in the middle of a scalar.
    while fitting > 0, text[fitting] & 0xC0 == 0x80 { fitting -= 1 }
    template.fill(UnsafeRawBufferPointer(rebasing: text[..<fitting]), into: &filled)
    return true
  }
}
